package plain

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"lvsdeck/ops/alarm"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/text"
)

// FigureText is a figure's value with its unit, where the name does not say it.
func FigureText(f alarm.Figure, v float64) string {
	if f.Share() {
		return fmt.Sprintf("%.0f %%", v)
	}
	return figure.Count(uint64(max(v, 0)))
}

// ThresholdText is a threshold without its row: "conn/s above 5000".
func ThresholdText(t alarm.Threshold) string {
	return fmt.Sprintf("%s %s %s", t.Figure, t.Direction(), FigureText(t.Figure, float64(t.Limit)))
}

// CrossedText is what a figure is that crosses a threshold: "conn/s is 7210, above
// 5000".
func CrossedText(t alarm.Threshold, v float64) string {
	return fmt.Sprintf("%s is %s, %s %s", t.Figure, FigureText(t.Figure, v), t.Direction(), FigureText(t.Figure, float64(t.Limit)))
}

// RowText is a row in as many cells as there are: of what is too long, the protocol
// goes first, then the service.
func RowText(r alarm.Row, width int, sign string) string {
	name := r.String()
	if r.Server.IsValid() && text.Width(name) > width {
		name = r.Server.String() + " of " + r.Service.Name()
	}
	return text.Cut(name, width, sign)
}

// EntryText is what an entry of the incident log says, without its row and time, and
// without what a terminal obeys: whoever writes the file can write anything.
func EntryText(e incident.Entry) string { return text.Clean(entryText(e)) }

func entryText(e incident.Entry) string {
	switch e.Kind {
	case incident.Crossed:
		since := ""
		if e.Since != nil && e.Time.Sub(*e.Since) >= time.Second {
			since = " since " + e.Since.Local().Format(time.TimeOnly)
		}
		return CrossedText(*e.Threshold, e.Value) + since
	case incident.Ended:
		t := *e.Threshold
		if e.Removed {
			return fmt.Sprintf("the threshold was removed or changed: %s is not watched any more", ThresholdText(t))
		}
		if e.Left {
			return fmt.Sprintf("the row left the table: %s no more", ThresholdText(t))
		}
		return fmt.Sprintf("%s is %s, no more %s %s", t.Figure, FigureText(t.Figure, e.Value), t.Direction(), FigureText(t.Figure, float64(t.Limit)))
	case incident.Found:
		return fmt.Sprintf("%s: %s", text.Or(e.Severity, "finding"), e.Text)
	case incident.Gone:
		return "no more: " + e.Text
	}
	return e.Text
}

// CrossingMarks are entries of thresholds as marks on the axis of time.
func CrossingMarks(all []incident.Entry) (out []history.Mark) {
	for _, e := range all {
		e.Since = nil // where it stands, room is short
		m := history.Mark{Time: e.Time, Kind: history.Crossed, Text: e.Row.String() + ": " + EntryText(e)}
		if e.Kind == incident.Ended {
			m.Kind = history.Ended
		}
		if !e.Row.Director() {
			m.About = []history.Key{history.Key(e.Row)}
		}
		out = append(out, m)
	}
	return out
}

// Incidents writes entries of the incident log in a format that CheckFormat accepts
// with CSV.
func Incidents(w io.Writer, all []incident.Entry, broken int, format string) error {
	switch format {
	case "json":
		return incidentsJSON(w, all, broken)
	case CSV:
		return incidentsCSV(w, all)
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "nothing is in the incident log")
	} else {
		tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(tw, "TIME\tWHAT\tUSER\tROW\tTEXT")
		for _, e := range all {
			row := "-"
			if !e.Row.Director() {
				row = e.Row.String()
			}
			fmt.Fprintln(tw, strings.Join([]string{e.Time.Local().Format(time.DateTime), string(e.Kind), oneWord(e.By.User), row, EntryText(e)}, "\t"))
		}
		if err := tw.Flush(); err != nil {
			return err
		}
	}
	if broken > 0 {
		_, err := fmt.Fprintln(w, "! "+PassedOver(broken))
		return err
	}
	return nil
}

// PassedOver says how many lines of the log make no sense.
func PassedOver(broken int) string {
	if broken == 1 {
		return "1 line of the log could not be read and was passed over"
	}
	return fmt.Sprintf("%d lines of the log could not be read and were passed over", broken)
}

func incidentsCSV(w io.Writer, all []incident.Entry) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"time", "what", "user", "service", "server", "text"})
	for _, e := range all {
		service, server := placeOf(e.Row)
		_ = out.Write([]string{e.Time.Format(time.RFC3339), string(e.Kind), sheetSafe(text.Clean(e.By.User)), service, server, sheetSafe(EntryText(e))})
	}
	out.Flush()
	return out.Error()
}

// placeOf names a row's service and server; both are "" for the whole director.
func placeOf(r alarm.Row) (service, server string) {
	if !r.Director() {
		service = r.Service.String()
	}
	if r.Server.IsValid() {
		server = r.Server.String()
	}
	return service, server
}

// The JSON form of the incident log.
type (
	jsonIncidents struct {
		Entries []jsonIncident `json:"entries"`
		Broken  int            `json:"broken_lines,omitempty"`
	}
	jsonIncident struct {
		Time     time.Time    `json:"time"`
		Kind     string       `json:"kind"`
		Service  string       `json:"service,omitempty"` // none: the whole director
		Server   string       `json:"server,omitempty"`
		Text     string       `json:"text"`
		User     string       `json:"user,omitempty"`
		From     string       `json:"from,omitempty"`
		Severity string       `json:"severity,omitempty"`
		Check    string       `json:"check,omitempty"`
		Figure   alarm.Figure `json:"figure,omitempty"`
		Value    *float64     `json:"value,omitempty"` // bits, percent, or a count
		Limit    *uint64      `json:"limit,omitempty"`
		Since    *time.Time   `json:"since,omitempty"`
	}
)

func incidentsJSON(w io.Writer, all []incident.Entry, broken int) error {
	out := jsonIncidents{Entries: []jsonIncident{}, Broken: broken}
	for _, e := range all {
		j := jsonIncident{
			Time: e.Time, Kind: string(e.Kind), Text: EntryText(e), User: e.By.User, From: e.By.From,
			Severity: e.Severity, Check: e.Check, Since: e.Since,
		}
		j.Service, j.Server = placeOf(e.Row)
		if t := e.Threshold; t != nil {
			j.Figure, j.Limit = t.Figure, &t.Limit
			if !e.Left && !e.Removed {
				j.Value = &e.Value
			}
		}
		out.Entries = append(out.Entries, j)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
