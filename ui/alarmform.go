package ui

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/alarm"
	"lvsdeck/ui/plain"
)

// askThreshold asks for a threshold of a row, or how one that is there should be. What
// stands in the fields fits what the row has now.
func (m *Model) askThreshold(row alarm.Row, was *alarm.Threshold) tea.Cmd {
	if why := m.opts.Incidents.Cannot(); why != "" {
		m.message = why
		return nil
	}
	is, instead, title := alarm.Threshold{Row: row, Figure: alarm.ConnRate, Hold: alarm.DefaultHold}, "", "New threshold of "
	if was != nil {
		is, instead, title = *was, was.Key(), "Threshold of "
	}
	f := &form{title: title + row.String()}
	figures := chosenField("figure", "figure", string(is.Figure), m.figureOptions(row)...)
	direction := chosenField("direction", "goes", is.Direction(), option{"above", "tells when it is more than the limit"}, option{"below", "tells when it is less than the limit"})
	f.fields = append(f.fields, figures, direction)
	for _, fig := range row.Figures() {
		for _, below := range []bool{false, true} {
			t := alarm.Threshold{Row: row, Figure: fig, Below: below}
			value := m.suggestion(t)
			if was != nil && was.Figure == fig && was.Below == below {
				value = strconv.FormatUint(was.Limit, 10)
			}
			f.fields = append(f.fields, typedField(limitField(t), "limit", value, limitHint(fig)).only(func(f *form) bool {
				return f.get("figure") == string(fig) && f.get("direction") == t.Direction()
			}))
		}
	}
	f.fields = append(f.fields, typedField("hold", "readings", strconv.Itoa(is.Hold), "for so many in a row; more than one, so that a short swing is nothing"))
	f.finish = func(m *Model, f *form) tea.Cmd { return m.keepThreshold(f, row, instead) }
	m.push(f)
	return nil
}

func limitField(t alarm.Threshold) string {
	return "limit " + string(t.Figure) + " " + t.Direction()
}

func limitHint(f alarm.Figure) string {
	if f.Share() {
		return "percent of what the service has"
	}
	return "a number; 5k, 1.2M and 3G are understood"
}

// figureOptions are what can be watched of a row, with what each is now.
func (m *Model) figureOptions(row alarm.Row) (all []option) {
	for _, fig := range row.Figures() {
		hint := "not known now"
		if v, known, _ := m.figureNow(fig, row); known {
			hint = "now " + plain.FigureText(fig, v)
		}
		all = append(all, option{string(fig), hint})
	}
	return all
}

func (m *Model) figureNow(f alarm.Figure, row alarm.Row) (v float64, known, listed bool) {
	if m.live == nil {
		return 0, false, false
	}
	return f.Of(row, m.live)
}

// suggestion is a limit that is well away from what the figure is now: the double or
// the half of it, as a round number; none where there is no such limit.
func (m *Model) suggestion(t alarm.Threshold) string {
	now, known, _ := m.figureNow(t.Figure, t.Row)
	v := now
	switch {
	case !known:
		return ""
	case t.Below:
		v /= 2
	default:
		v = max(10, 2*v)
	}
	if t.Figure.Share() {
		if v = min(v, 90); !t.Below && now >= v {
			return ""
		}
	}
	unit := math.Pow10(max(0, int(math.Log10(max(v, 1)))-1)) // two digits are enough
	if t.Below {
		return strconv.FormatFloat(max(1, math.Floor(v/unit)*unit), 'f', 0, 64)
	}
	return strconv.FormatFloat(math.Ceil(v/unit)*unit, 'f', 0, 64)
}

// keepThreshold writes a threshold beside the loop, if there is nothing wrong with it.
func (m *Model) keepThreshold(f *form, row alarm.Row, instead string) tea.Cmd {
	t := alarm.Threshold{Row: row, Figure: alarm.Figure(f.get("figure")), Below: f.get("direction") == "below"}
	limit := limitField(t)
	var err error
	if t.Limit, err = t.Figure.ParseLimit(f.get(limit)); err != nil {
		f.blame(limit, err.Error())
		return nil
	}
	if t.Hold, err = strconv.Atoi(f.get("hold")); err != nil {
		f.blame("hold", fmt.Sprintf("readings %q: must be a number from 1 to %d", f.get("hold"), alarm.MaxHold))
		return nil
	}
	var refused *alarm.Refused
	if errors.As(t.Check(), &refused) {
		part := refused.Part
		if part == "limit" {
			part = limit
		}
		f.blame(part, refused.Why)
		return nil
	}
	watch := m.opts.Incidents
	return beside(func(context.Context) (string, error) { return "kept: " + t.Key(), watch.Put(t, instead) },
		func(m *Model, done string, err error) tea.Cmd {
			if err != nil {
				m.tell("The threshold was not kept", err)
				return nil
			}
			m.drop(f)
			m.message = done
			return m.hearAlarms() // what was crossed just now goes before it
		})
}
