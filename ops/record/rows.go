package record

import (
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// rows takes all services through.
func (c *coder) rows(p *pack, s *ops.Sample) []serviceRow {
	before := &ops.Sample{}
	if c.last != nil {
		before = c.last
	}
	now, old := serviceIDs(s.Services), serviceIDs(before.Services)
	same := flag(!c.key && !p.reading && now.isAs(old), 1)
	p.byte(sMisc, &same)
	if same != 0 && c.key {
		p.fail(errLost)
		return nil
	}
	rows, a := c.services, aligned[ipvs.ServiceID]{}
	n := old.n
	if same == 0 {
		a = align(p, c.key, now, old, ipvs.ServiceID.Compare, takeID)
		n = len(a.ids)
		rows = make([]serviceRow, n)
	}
	c.left = maxRows
	if c.claim(p, n); p.err != nil {
		return nil
	}
	if p.reading {
		s.Services = make([]*ops.Service, n)
	}
	for i := range n {
		var before *ops.Service
		var id ipvs.ServiceID
		if at := a.place(i); at >= 0 {
			before, id = c.last.Services[at], c.last.Services[at].ServiceID
			if same == 0 {
				rows[i] = c.services[at]
			}
		} else {
			id = a.ids[i]
		}
		made := c.service(p, s.Services[i], before, &rows[i], id)
		if p.err != nil {
			return nil
		}
		if p.reading {
			s.Services[i] = made
		}
	}
	return rows
}

func serviceIDs(of []*ops.Service) list[ipvs.ServiceID] {
	return list[ipvs.ServiceID]{len(of), func(i int) ipvs.ServiceID { return of[i].ServiceID }}
}

func serverIDs(of []*ops.Server) list[netip.AddrPort] {
	return list[netip.AddrPort]{len(of), func(i int) netip.AddrPort { return of[i].Addr }}
}

// service takes a service with its servers through. The one before, if there was
// one, has its row; in a key only its trend is carried on.
func (c *coder) service(p *pack, is, old *ops.Service, r *serviceRow, id ipvs.ServiceID) *ops.Service {
	fresh := c.key || old == nil
	before := old
	if fresh {
		before = &ops.Service{}
		before.PersistentKnown = true
		if old != nil {
			before.Trend = old.Trend
		}
	}
	c.enter(p, &r.row)
	var m mask
	state, expected := byte(0), serviceState(before)
	if !p.reading {
		state = serviceState(is)
	}
	if c.kind == amended && !p.reading && is == old {
		p.byte(sMask, (*byte)(&m))
		return is
	}
	made := is
	if p.reading {
		made = &ops.Service{Service: before.Service, Name: before.Name, Since: before.Since}
		made.ServiceID = id
	}
	w := passage{coder: c, pack: p, is: movingService(made), before: movingService(before), row: &r.row, fresh: fresh}
	settings := before.Service
	settings.ServiceID = id
	if !p.reading {
		m = w.look()
		m.set(mInside, c.kind == amended)
		m.set(mList, fresh || !serverIDs(is.Servers).isAs(serverIDs(before.Servers)))
		m.set(mState, state != expected)
		m.set(mSettings, is.Service != settings)
	}
	p.byte(sMask, (*byte)(&m))
	if p.reading && c.kind == amended && m == 0 {
		if old == nil {
			p.fail(errLost)
		} else {
			c.claim(p, len(old.Servers))
		}
		return old
	}
	if p.reading {
		state = expected
	}
	if m.has(mState) {
		p.byte(sMisc, &state)
	}
	if m.has(mSettings) {
		takeService(p, &made.Service)
	}
	c.servers(p, made, old, r, m.has(mList))
	if p.err != nil {
		return nil
	}
	if p.reading {
		made.Sum()
		made.Counted, made.Partial = state&counted != 0, state&partial != 0
		if fresh {
			made.Name = id.Name()
		}
	}
	w.take(m)
	w.settle(m)
	return made
}

func movingService(s *ops.Service) moving {
	return moving{&s.Figures, &s.Was, &s.Seen, &s.Since, &s.Trend}
}

func serviceState(s *ops.Service) byte {
	return flag(s.Counted, counted) | flag(s.Partial, partial)
}

func takeService(p *pack, s *ipvs.Service) {
	p.text(&s.Scheduler)
	num(p, sMisc, &s.SchedFlags, 0)
	on := flag(s.OnePacket, 1) | flag(s.Persistence.On, 2)
	p.byte(sMisc, &on)
	num(p, sMisc, &s.Persistence.Timeout, 0)
	num(p, sMisc, &s.Persistence.Mask, 0)
	p.text(&s.Persistence.Engine)
	if p.reading {
		s.OnePacket, s.Persistence.On = on&1 != 0, on&2 != 0
	}
}

// servers takes a service's servers through.
func (c *coder) servers(p *pack, s, old *ops.Service, r *serviceRow, other bool) {
	if old == nil {
		old = &ops.Service{}
	}
	key := c.key || len(old.Servers) == 0
	a, rows, n := aligned[netip.AddrPort]{}, r.servers, len(old.Servers)
	if other {
		a = align(p, key, serverIDs(s.Servers), serverIDs(old.Servers), netip.AddrPort.Compare, takeAddrPort)
		n = len(a.ids)
		rows = make([]row, n)
	}
	if c.claim(p, n); p.err != nil {
		return
	}
	if p.reading {
		s.Servers = make([]*ops.Server, n)
	}
	for i := range n {
		fresh := c.key
		var before *ops.Server
		var at netip.AddrPort
		if place := a.place(i); place < 0 {
			fresh, before, at = true, &ops.Server{}, a.ids[i]
		} else {
			at = old.Servers[place].Addr
			if other {
				rows[i] = r.servers[place]
			}
			if before = old.Servers[place]; c.key {
				before = &ops.Server{Trend: before.Trend}
			}
		}
		made := c.server(p, s.Servers[i], before, &rows[i], fresh, at)
		if p.err != nil {
			return
		}
		if p.reading {
			s.Servers[i] = made
		}
	}
	r.servers = rows
}

// whole takes the figures of the whole table through, of which the rows are there
// already.
func (c *coder) whole(p *pack, s *ops.Sample) {
	before := c.last
	if c.key {
		if before = (&ops.Sample{}); c.last != nil {
			before.Trend = c.last.Trend
		}
	}
	if p.reading && !s.Time.IsZero() { // else nothing was ever read
		s.Sum()
	}
	c.enter(p, &c.table)
	part := func(s *ops.Sample) moving { return moving{&s.Figures, &s.Was, nil, nil, &s.Trend} }
	w := passage{coder: c, pack: p, is: part(s), before: part(before), row: &c.table, fresh: c.key}
	var m mask
	state := flag(before.Counted, counted)
	if !p.reading {
		m = w.look()
		m.set(mState, flag(s.Counted, counted) != state)
		state = flag(s.Counted, counted)
	}
	p.byte(sMask, (*byte)(&m))
	if m.has(mState) {
		p.byte(sMisc, &state)
	}
	if p.reading {
		s.Counted = state&counted != 0
	}
	w.take(m)
	w.settle(m)
}

// server takes a server through; is is nil when reading.
func (c *coder) server(p *pack, is, before *ops.Server, r *row, fresh bool, at netip.AddrPort) *ops.Server {
	c.enter(p, r)
	old := serverState(before)
	if c.kind == next {
		old = old&^wasFull | flag(before.Overloaded(), wasFull)
	}
	var m mask
	state := old
	made := is
	if p.reading {
		copied := *before
		made = &copied
	}
	w := passage{coder: c, pack: p, is: movingServer(made), before: movingServer(before), row: r, fresh: fresh}
	if !p.reading {
		state = serverState(is)
		m = w.look()
		m.set(mActive, is.Active != before.Active)
		m.set(mInactive, is.Inactive != before.Inactive)
		m.set(mState, state != old)
		m.set(mSettings, is.Server != settingsOf(before, at))
		m.set(mPersistent, is.PersistentKnown && is.Persistent != r.persistent)
	}
	p.byte(sMask, (*byte)(&m))
	if m.has(mActive) {
		num(p, sActive, &made.Active, before.Active)
	}
	if m.has(mInactive) {
		num(p, sInactive, &made.Inactive, before.Inactive)
	}
	if m.has(mState) {
		p.byte(sMisc, &state)
	}
	if p.reading {
		made.Server = settingsOf(before, at)
		made.Counted, made.PersistentKnown = state&counted != 0, state&persistentKnown != 0
		made.Partial, made.WasFull = state&partial != 0, state&wasFull != 0
		if made.Persistent = 0; made.PersistentKnown {
			made.Persistent = r.persistent
		}
		if fresh && before.Name == "" {
			made.Name = at.String()
		}
	}
	if m.has(mSettings) {
		takeServer(p, &made.Server)
	}
	if m.has(mPersistent) {
		num(p, sMisc, &made.Persistent, r.persistent)
	}
	w.take(m)
	w.settle(m)
	if made.PersistentKnown {
		r.persistent = made.Persistent
	}
	if p.reading && *made == *before {
		return before // nothing moved: samples share it
	}
	return made
}

func movingServer(s *ops.Server) moving {
	return moving{&s.Figures, &s.Was, &s.Seen, &s.Since, &s.Trend}
}

func serverState(s *ops.Server) byte {
	return flag(s.Counted, counted) | flag(s.PersistentKnown, persistentKnown) | flag(s.Partial, partial) | flag(s.WasFull, wasFull)
}

// settingsOf is what a server's settings are likely to be.
func settingsOf(before *ops.Server, at netip.AddrPort) ipvs.Server {
	s := before.Server
	s.Addr = at
	return s
}

func takeServer(p *pack, s *ipvs.Server) {
	num(p, sMisc, &s.Forward, 0)
	num(p, sMisc, &s.Weight, 0)
	num(p, sMisc, &s.Upper, 0)
	num(p, sMisc, &s.Lower, 0)
	num(p, sMisc, &s.Tunnel.Type, 0)
	num(p, sMisc, &s.Tunnel.Port, 0)
	num(p, sMisc, &s.Tunnel.Flags, 0)
}
