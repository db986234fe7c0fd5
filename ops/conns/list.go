package conns

import (
	"context"
	"io"
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// Row is one connection or template.
type Row struct {
	Client  netip.AddrPort
	Service ipvs.ServiceID // as the connection names it
	Server  netip.AddrPort
	State   State
	Expires uint32 // seconds to live
	Timeout uint32 // seconds the state allows without a packet; 0: not known
	Origin  proc.Origin
	Gone    bool // the table does not list the server any more

	Engine, Data string // of a persistence engine; the data is the client's own words
}

// Idle is for how many seconds no packet came, as far as that can be told.
func (r Row) Idle() (seconds uint32, known bool) {
	if r.Timeout == 0 || r.Expires > r.Timeout {
		return 0, false
	}
	return r.Timeout - r.Expires, true
}

// Each hands the connections that the query's filter picks to f, in the kernel's
// order, until f gives false or the context is done.
func Each(ctx context.Context, in io.Reader, q Query, f func(Row) bool) (read proc.Count, ended, err error) {
	p := newPicker(q)
	w := newWatched(ctx, in, q.Progress)
	for c := (proc.Conn{}); w.next(&c); {
		if row, picked := p.row(&c); picked && !f(row) {
			return w.all.Read, nil, nil
		}
	}
	ended, err = w.outcome()
	return w.all.Read, ended, err
}

// row makes a row of a connection that the filter picks.
func (p *picker) row(c *proc.Conn) (row Row, picked bool) {
	s := p.state(c)
	if !p.picks(c, s) {
		return row, false
	}
	if p.pairing {
		pair, number := p.pair(c)
		if !p.picksPair(c, pair, number) {
			return row, false
		}
		row.Gone = pair != nil && p.pairInfo[number].gone
	}
	row.Client, row.Service, row.Server = c.Client.AddrPort(), c.Service(), c.Server.AddrPort()
	row.State, row.Expires, row.Timeout, row.Origin = s.State, c.Expires, s.timeout, c.Origin
	row.Engine, row.Data = string(c.Engine), string(c.Data)
	return row, true
}

// Page is some of the connections that a filter picks.
type Page struct {
	From  int // how many came before
	Rows  []Row
	More  bool // there are others after these
	Read  proc.Count
	Ended error // why it ended before its time, or nil
}

// ReadPage passes over some connections and gives the next ones. It reads no
// further than it must. Between two readings the table changes, so a connection
// may stand on both of two pages, or on none.
func ReadPage(ctx context.Context, in io.Reader, q Query, from, n int) (Page, error) {
	page, at := Page{From: from}, 0
	read, ended, err := Each(ctx, in, q, func(r Row) bool {
		switch at++; {
		case at <= from:
		case len(page.Rows) < n:
			page.Rows = append(page.Rows, r)
		default:
			page.More = true
			return false
		}
		return true
	})
	page.Read, page.Ended = read, ended
	return page, err
}
