package history

import (
	"time"

	"lvsdeck/ops/check"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// aboutMax is how many rows a plan may have that are remembered one by one.
const aboutMax = 64

// Plans are marks of what the journal tells was done since a time.
func Plans(h plan.History, since time.Time) (out []Mark) {
	for _, e := range h.Entries {
		if e.Time.Before(since) {
			continue
		}
		m := Mark{Time: e.Time, Kind: Changed, Plan: e.ID, Text: e.Title, By: e.By.String(), About: rowsOf(e)}
		switch {
		case e.ID == h.Running:
			m.Text += ": running"
		case e.Ended == nil:
			m.Text += ": never ended"
		default:
			m.Until = e.Ended.Time
			if e.Ended.Outcome != persist.Applied {
				m.Text += ": " + e.Ended.Outcome
			}
		}
		out = append(out, m)
	}
	return out
}

// rowsOf are the services and servers that a plan changes; none when they are many
// or cannot be told.
func rowsOf(e *persist.Entry) (about []Key) {
	p, err := plan.Of(e)
	if err != nil || len(p.Items) > aboutMax {
		return nil
	}
	for _, item := range p.Items {
		switch step := item.Step.(type) {
		case plan.ChangeServer:
			one := step.After
			if one == nil {
				one = step.Before
			}
			about = append(about, Key{step.Service, one.Addr})
		case plan.ChangeService:
			one := step.After
			if one == nil {
				one = step.Before
			}
			about = append(about, Key{Service: one.ServiceID})
		default:
			return nil // it is about the whole director
		}
	}
	return about
}

// Findings are marks of what a round of checks found that the one before did not,
// and of what it finds no more. A finding is the same as long as its check and its
// row are.
func Findings(was, is *check.Report) (out []Mark) {
	type name struct {
		check string
		about Key
	}
	of := func(f *check.Finding) name { return name{f.Check, Key{f.Service, f.Server}} }
	tell := func(kind Kind, all, others *check.Report) {
		if all == nil {
			return
		}
		there := map[name]bool{}
		if others != nil {
			for i := range others.Findings {
				there[of(&others.Findings[i])] = true
			}
		}
		for i := range all.Findings {
			f := &all.Findings[i]
			if there[of(f)] {
				continue
			}
			m := Mark{Time: is.Time, Kind: kind, Text: f.Short, Severity: f.Severity}
			if k := (Key{f.Service, f.Server}); k != (Key{}) {
				m.About, m.Text = []Key{k}, k.String()+": "+f.Short
			}
			out = append(out, m)
		}
	}
	tell(Found, is, was)
	tell(Cleared, was, is)
	return out
}
