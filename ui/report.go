package ui

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/conns"
	"lvsdeck/ops/history"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/report"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/plain"
)

// reportSpans are how far a report goes back.
var reportSpans = []option{
	{"10 minutes", "the last ten minutes"}, {"30 minutes", "the last half hour"},
	{"1 hour", "the last hour"}, {"4 hours", "as far back as figures are kept"},
}

var spanOf = map[string]time.Duration{"10 minutes": 10 * time.Minute, "30 minutes": 30 * time.Minute, "1 hour": time.Hour, "4 hours": 4 * time.Hour}

const readConns = "read"

// openReport asks of what the report of an incident should be, and where to.
func openReport(m *Model) tea.Cmd {
	f := &form{title: "Report of an incident, as Markdown, up to " + m.live.Time.Format(time.TimeOnly)}
	f.fields = []*field{
		chosenField("span", "of", "1 hour", reportSpans...),
		typedField("began", "began", "", "14:03, 14:03:20 or -10m; empty: as the log and the figures say"),
	}
	if m.opts.Conns != nil {
		choice := "leave out"
		if m.connsCost() <= connsFree {
			choice = readConns
		}
		f.fields = append(f.fields, chosenField("conns", "connections", choice,
			option{readConns, fmt.Sprintf("who has most: keeps a processor busy for %s, %s at the most", roughly(min(m.connsCost(), connsSample)), figure.Span(connsSample))},
			option{"leave out", "clients are not told"}))
	}
	f.fields = append(f.fields, typedField("file", "file", m.fileName("md"), "a name, or a path; only you can read it").listed())
	f.finish = func(m *Model, f *form) tea.Cmd { return m.makeReport(f) }
	m.push(f)
	return nil
}

func cannotReport(m *Model) string {
	switch {
	case m.opts.History == nil:
		return "no history is kept here of which a report could be made"
	case m.live == nil || m.live.Time.IsZero():
		return "nothing was read yet"
	}
	return ""
}

// makeReport gathers what a report needs beside the loop, and writes it.
func (m *Model) makeReport(f *form) tea.Cmd {
	s := report.Sources{Host: m.opts.Host, Of: "the running director", To: m.live.Time, History: m.opts.History, Latest: m.live}
	if m.opts.Replay != nil {
		s.Of, s.NoLog = "the recording "+filepath.Base(m.opts.Replay.File().Name()), "The console reads no incident log for a recording"
	}
	s.From = s.To.Add(-spanOf[f.get("span")])
	if typed := f.get("began"); typed != "" {
		var err error
		if s.Began, err = Moment(typed, s.To, s.From, s.To); err != nil {
			f.blame("began", err.Error())
			return nil
		}
	}
	file := f.get("file")
	if file == "" {
		f.blame("file", "a file needs a name")
		return nil
	}
	if m.opts.Checks != nil {
		s.Checks = m.opts.Checks.Latest()
	}
	ink := paint.Blocks
	if m.signs == paint.ASCII {
		ink = paint.Letters
	}
	read := m.readerOf(f.get("conns") == readConns)
	watch, store := m.opts.Incidents, m.opts.Store
	m.message = "the report is being made"
	return beside(func(ctx context.Context) (report.Report, error) {
		if watch != nil && watch.Store == nil {
			s.NoLog = "The incident log is root's, and cannot be read"
		} else if watch != nil {
			if h, err := watch.Read(); err != nil {
				s.NoLog = fmt.Sprintf("The incident log cannot be read (%v)", err)
			} else {
				s.Log = &h
			}
		}
		if store != nil {
			if h, err := plan.ReadHistory(store); err != nil {
				s.Lacks = append(s.Lacks, fmt.Sprintf("The journal cannot be read, so who changed the table is not known: %v.", err))
			} else {
				s.History.Mark(history.Plans(h, s.From)...)
			}
		}
		var err error
		if s.Conns, err = read(ctx); err != nil {
			return report.Report{}, err
		}
		s.ConnsAt = s.To
		return report.Make(s), nil
	}, func(m *Model, r report.Report, err error) tea.Cmd {
		if err != nil {
			m.tell("No report was written", err)
			return nil
		}
		m.drop(f)
		return exportTo(file, false, func(w io.Writer) error { return plain.IncidentReport(w, &r, ink) })
	})
}

// readerOf gives what reads connections for a report, for a while at the most.
func (m *Model) readerOf(wanted bool) func(context.Context) (*conns.Result, error) {
	source, table, listed := m.opts.Conns, m.opts.Table, m.listed()
	return func(ctx context.Context) (*conns.Result, error) {
		if !wanted || source == nil {
			return nil, nil
		}
		ctx, cancel := context.WithTimeoutCause(ctx, connsSample, fmt.Errorf("a sample of %s", figure.Span(connsSample)))
		defer cancel()
		in, err := source.Connections(true)
		if err != nil {
			return nil, err
		}
		defer in.Close()
		return conns.Read(ctx, in, conns.Query{
			By: []conns.By{conns.ByClient, conns.ByNet, conns.ByServer, conns.ByState}, PerService: true, Top: report.TopMost, Listed: listed, Timeouts: timeoutsOf(ctx, table),
		})
	}
}
