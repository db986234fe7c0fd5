package ui

import (
	"fmt"
	"io"
	"slices"

	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ui/plain"
)

// sheet is a table that can be written and copied. It is made in the loop; what it
// does is done beside it, so that it must not look at what the loop changes.
type sheet struct {
	of    string   // "4 services and 11 servers"
	forms []string // that it can be written in, by the names that ui/plain knows; nil: all of them
	write func(w io.Writer, form string) error
	cell  string                  // what the cursor is on, or ""
	row   func(w io.Writer) error // its row as text, or nil
}

// asList is the forms of what is no table of cells.
var asList = []string{"table", "json"}

// tabled is a screen with a table.
type tabled interface {
	sheet(*Model) sheet
}

// sheet is the table on screen; one without write is none.
func (m *Model) sheet() (s sheet) {
	switch top := m.top().(type) {
	case nil:
		if m.sample != nil {
			return m.servicesSheet()
		}
	case tabled:
		return top.sheet(m)
	}
	return s
}

// servicesSheet is the rows of the services screen, as filtered and sorted.
func (m *Model) servicesSheet() sheet {
	all, servers := m.list.Shown(), 0
	for _, s := range all {
		servers += len(s.Servers)
	}
	out := m.listing(all, fmt.Sprintf("%d services and %d servers, as filtered and sorted", len(all), servers))
	if row, ok := m.list.Current(); ok {
		out.on(m, row.Service, row.Server)
	}
	return out
}

// listing is services as they are in the sample on screen, with what the store
// knows of them.
func (m *Model) listing(all []*ops.Service, of string) sheet {
	return sheet{of: of, write: m.writeListing(all)}
}

func (m *Model) writeListing(all []*ops.Service) func(io.Writer, string) error {
	sample, store := *m.sample, m.opts.Store
	sample.Services = all
	return func(w io.Writer, form string) error {
		l := plain.Listing{Sample: &sample}
		if store != nil {
			if err := l.Recall(store); err != nil {
				return err
			}
		}
		return l.Write(w, form)
	}
}

// on is the row under the cursor: a service's, or a server's with its service's.
func (s *sheet) on(m *Model, service *ops.Service, server *ops.Server) {
	one := *service
	if s.cell, one.Servers = service.Name, nil; server != nil {
		s.cell, one.Servers = server.Name, []*ops.Server{server}
	}
	write := m.writeListing([]*ops.Service{&one})
	s.row = func(w io.Writer) error { return write(w, "table") }
}

// sheet is the service with all its servers.
func (s *serviceScreen) sheet(m *Model) sheet {
	service := s.service(m)
	if service == nil {
		return sheet{}
	}
	out := m.listing([]*ops.Service{service}, fmt.Sprintf("the service and its %d servers", len(service.Servers)))
	var server *ops.Server
	if i := slices.IndexFunc(service.Servers, func(r *ops.Server) bool { return r.Addr == s.server }); i >= 0 {
		server = service.Servers[i]
	}
	out.on(m, service, server)
	return out
}

// sheet is the findings that the filter picks.
func (c *checks) sheet(m *Model) sheet {
	if m.sample == nil || m.report == nil {
		return sheet{}
	}
	found := c.shown(m)
	write := func(found []check.Finding) func(io.Writer, string) error {
		all := plain.Checked{Services: len(m.sample.Services), Servers: m.sample.Servers, Findings: found, Unread: m.report.Unread}
		return func(w io.Writer, form string) error { return plain.WriteChecked(w, all, form) }
	}
	s := sheet{of: fmt.Sprintf("%d findings with how they are known and what ends them", len(found)), forms: asList, write: write(found)}
	if c.at < len(found) {
		one := write(found[c.at : c.at+1])
		s.row = func(w io.Writer) error { return one(w, "table") }
	}
	return s
}

// sheet is every plan there was.
func (j *journal) sheet(*Model) sheet {
	h := j.History
	return sheet{of: fmt.Sprintf("%d plans", len(h.Entries)), forms: asList, write: func(w io.Writer, form string) error { return plain.Journal(w, h, form) }}
}

// sheet is the grouping on screen.
func (c *connections) sheet(*Model) (s sheet) {
	if c.view().result == nil {
		return s
	}
	all := *c.view().result
	ranking := *all.Ranking(c.by)
	all.Rankings = []conns.Ranking{ranking}
	s = sheet{
		of:    fmt.Sprintf("the %d largest groups by %s of %d", len(ranking.Groups), c.by, ranking.Met),
		write: func(w io.Writer, format string) error { return plain.Conns(w, &all, format) },
	}
	if g, ok := c.group(); ok {
		one := all
		one.Rankings = []conns.Ranking{{By: c.by, Groups: []conns.Group{g}, Met: 1}}
		s.cell, s.row = g.Name(c.by), func(w io.Writer) error { return plain.Conns(w, &one, "table") }
	}
	return s
}

// sheet is the page on screen.
func (l *connList) sheet(*Model) (s sheet) {
	if len(l.page.Rows) == 0 {
		return s
	}
	write := func(w io.Writer, rows []conns.Row, format string) error {
		out := plain.NewConnList(w, format, true)
		for _, r := range rows {
			out.Add(r)
		}
		return out.End()
	}
	rows, from := l.page.Rows, l.page.From
	s = sheet{
		of:    fmt.Sprintf("connections %d to %d of the list (lvsdeck conns --list writes all)", from+1, from+len(rows)),
		write: func(w io.Writer, format string) error { return write(w, rows, format) },
	}
	if l.at < len(rows) {
		one := rows[l.at : l.at+1]
		s.cell, s.row = one[0].Client.String(), func(w io.Writer) error { return write(w, one, "table") }
	}
	return s
}
