package why

import (
	"fmt"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// lately is how far back changes are told.
const lately = time.Hour

// changes tells what was done about the place and the host around it, and what runs
// otherwise than it is saved: that was done by hand, or is not saved yet.
func changes(w *Walk) Answer {
	a := fine("nobody else manages it; the journal has no change")
	if w.from.History == nil {
		a = unknown("there is no journal here")
	} else if h, err := w.from.History(); err != nil {
		a = unknown("the journal could not be read: %v", err)
	} else if told := w.changed(h); len(told) > 0 {
		a = look("%s, the last %s ago: %s", plural(len(told), "change"), ago(w.scene.Sample.Time.Sub(told[0].Time)), told[0].Title)
		for i, e := range told {
			if i == few {
				a.because("and %d more", len(told)-few)
				break
			}
			a.because("%s %s: %s, %s", e.Time.Local().Format(time.TimeOnly), e.By, e.Title, h.Standing(e))
		}
	}
	w.unsaved(&a)
	return a
}

// changed are the plans of the last hour that touch the place, the newest first.
func (w *Walk) changed(h plan.History) (told []*persist.Entry) {
	for _, e := range h.Entries {
		if w.scene.Sample.Time.Sub(e.Time) > lately {
			break
		}
		p, err := plan.Of(e)
		if err != nil {
			continue // of a later release: the journal tells
		}
		for _, i := range p.Items {
			if touches(i.Step, w.at) {
				told = append(told, e)
				break
			}
		}
	}
	return told
}

// touches tells whether a step may have to do with the place: it changes its rows,
// or the host around all of them.
func touches(s plan.Step, at check.Place) bool {
	of := func(rows ...*ipvs.Service) bool {
		for _, r := range rows {
			if r != nil && r.ServiceID == at.Service {
				return true
			}
		}
		return false
	}
	switch s := s.(type) {
	case plan.ChangeServer:
		about := func(r *ipvs.Server) bool { return r != nil && r.Addr == at.Server }
		return s.Service == at.Service && (!at.Server.IsValid() || about(s.Before) || about(s.After))
	case plan.ChangeService:
		return of(s.Before, s.After)
	case plan.ZeroCounters, plan.ChangeFile, plan.ChangeTimeouts, plan.ChangeDaemon:
		return false
	}
	return true // the host's settings, and the whole table
}

// unsaved tells what the file of rules has otherwise.
func (w *Walk) unsaved(a *Answer) {
	c := w.scene.Saved
	switch {
	case c == nil:
		return
	case c.NoFile():
		a.because("the rules were never saved on this host")
		return
	case c.Err != nil:
		a.because("the saved rules are of no use: %v", c.Err)
		return
	}
	n := 0
	for _, i := range c.Plan.Items {
		if !tableRow(i.Step) || !touches(i.Step, w.at) {
			continue
		}
		if n++; n <= few {
			a.because("to be as it was saved, it would take: %s", i.Step)
		}
	}
	switch all := keep.Changes(c.Plan); {
	case n == 0 && len(all) > 0:
		differ := plural(len(all), "line") + " of the saved rules differ"
		if len(all) == 1 {
			differ += "s"
		}
		a.because("it runs as it was saved; %s elsewhere", differ)
		return
	case n == 0:
		a.because("it runs as it was saved")
		return
	}
	if a.Mark < Look {
		a.Mark, a.Says = Look, "it does not run as it was saved"
	}
}

// tableRow tells the steps on rows.
func tableRow(s plan.Step) bool {
	switch s.(type) {
	case plan.ChangeServer, plan.ChangeService:
		return true
	}
	return false
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// ago is how long, as roughly as it matters.
func ago(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(max(0, d.Seconds())))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}
