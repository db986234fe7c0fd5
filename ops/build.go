package ops

import (
	"net/netip"
	"slices"
	"time"

	"lvsdeck/ipvs"
)

// reading is what one look at the table gave.
type reading struct {
	at       time.Time
	took     time.Duration
	interval time.Duration
	info     ipvs.Info
	view     ipvs.Overview
	details  []detail
	missed   error // why a wanted detail is not there
}

// detail is the servers of one service with all their figures.
type detail struct {
	id      ipvs.ServiceID
	servers []ipvs.ServerState
}

// history is what is remembered from reading to reading. It makes Samples and
// touches nothing outside: no clock, no table.
type history struct {
	services rows[ipvs.ServiceID, serviceRow]
	trend    trend
	watch    estimatorWatch
	last     *Sample
	seq      uint64
	tick     int // counts regular samples, also those that failed
	missed   int // of these, the failed ones since the last good one
	queue

	full []*ipvs.ServerState // scratch: the details of one service's rows
}

// serviceRow and serverRow are what is remembered of a row beside its last
// appearance, which is nil for a new one.
type serviceRow struct {
	last    *Service
	count   counter
	trend   trend
	phase   int
	asked   int // the tick in which its servers were last asked for
	queued  bool
	blind   bool // its servers' figures cannot be had: no rights
	servers rows[netip.AddrPort, serverRow]
}

type serverRow struct {
	last  *Server
	count counter
	trend trend
	phase int
}

// counter follows totals that may be set back.
type counter struct {
	total ipvs.Traffic
	began bool
}

// grown gives what was counted since the last time.
func (c *counter) grown(now ipvs.Traffic) (grown ipvs.Traffic) {
	if c.began {
		grown = now.Since(c.total)
	}
	c.total, c.began = now, true
	return grown
}

// follow lines the rows up with an overview, before its details are read.
func (h *history) follow(view *ipvs.Overview) {
	entries := view.Services
	h.services.follow(len(entries), func(i int) ipvs.ServiceID { return entries[i].ServiceID }, ipvs.ServiceID.Compare)
	for i := range entries {
		servers := entries[i].Servers
		row := &h.services.kept[h.services.listed[i]]
		row.blind = entries[i].Partial
		row.servers.follow(len(servers), func(i int) netip.AddrPort { return servers[i].Addr }, netip.AddrPort.Compare)
	}
}

// sample makes the sample of a reading that the rows follow already.
func (h *history) sample(r *reading) *Sample {
	h.tick++
	n := len(r.view.Services)
	s := &Sample{
		Time:             r.at,
		Interval:         r.interval,
		Took:             r.took,
		Info:             r.info,
		Services:         make([]*Service, n),
		EstimatorStopped: h.watch.look(r.at, r.info, r.view.Stats.Total, r.view.LivePackets),
		Missed:           r.missed,
	}
	details := make([]*detail, n)
	for i := range r.details {
		if at, ok := h.services.find(r.details[i].id, 0, ipvs.ServiceID.Compare); ok {
			details[at] = &r.details[i]
		}
	}
	made := make([]Service, n)
	for i := range r.view.Services {
		at := h.services.listed[i]
		if row := &h.services.kept[at]; row.last == nil {
			row.phase = int(at)
		}
		h.service(&made[at], &h.services.kept[at], &r.view.Services[i], details[at], r.at)
		s.Services[at] = &made[at]
	}
	s.Figures = Figures{Total: r.view.Stats.Total, Rate: r.view.Stats.Rate, Counted: true}
	s.Sum()
	s.Was = s.Figures
	if h.last != nil && !h.last.Time.IsZero() {
		s.Was = h.last.Figures
	}
	h.trend.step(h.tick, h.missed, 0, &s.Figures)
	s.Trend = h.trend.show()
	h.missed = 0
	return h.handOver(s)
}

// handOver numbers a sample and remembers it.
func (h *history) handOver(s *Sample) *Sample {
	h.seq++
	s.Seq = h.seq
	h.last = s
	return s
}

// Sum adds up what a sample takes from its rows.
func (s *Sample) Sum() {
	s.Servers, s.Active, s.Inactive, s.Persistent, s.PersistentKnown = 0, 0, 0, 0, true
	for _, svc := range s.Services {
		s.Servers += len(svc.Servers)
		s.Active += svc.Active
		s.Inactive += svc.Inactive
		s.Persistent += svc.Persistent
		s.PersistentKnown = s.PersistentKnown && svc.PersistentKnown
	}
}

// service makes one service of a sample.
func (h *history) service(s *Service, row *serviceRow, e *ipvs.Entry, d *detail, at time.Time) {
	*s = Service{Service: e.Service, Partial: e.Partial, Since: at}
	if !e.Partial {
		s.Counted, s.Total, s.Rate = true, e.Stats.Total, e.Stats.Rate
	}
	fresh := row.last == nil
	if fresh {
		s.Name = e.ServiceID.Name()
	} else {
		s.Name, s.Since, s.Seen = row.last.Name, row.last.Since, row.last.Seen
	}
	if s.Counted {
		s.Seen = s.Seen.Add(row.count.grown(s.Total))
	}
	h.servers(s, row, e, d, at)
	s.Sum()
	s.Was = s.Figures
	missed := 0
	if !fresh {
		s.Was, missed = row.last.Figures, h.missed
	}
	row.trend.step(h.tick, missed, row.phase, &s.Figures)
	s.Trend = row.trend.show()
	row.last = s
}

// Sum adds up what a service takes from its servers.
func (s *Service) Sum() {
	s.Active, s.Inactive, s.Persistent, s.PersistentKnown = 0, 0, 0, true
	s.Up, s.Forwards, s.Overloaded = 0, 0, 0
	for _, r := range s.Servers {
		s.Active += r.Active
		s.Inactive += r.Inactive
		s.Persistent += r.Persistent
		s.PersistentKnown = s.PersistentKnown && r.PersistentKnown
		s.Forwards = s.Forwards.With(r.Forward)
		if r.Usable() {
			s.Up++
		}
		if r.Overloaded() {
			s.Overloaded++
		}
	}
}

// servers makes the servers of one service.
func (h *history) servers(s *Service, row *serviceRow, e *ipvs.Entry, d *detail, at time.Time) {
	full := h.inFull(row, d)
	made := make([]Server, len(e.Servers))
	s.Servers = make([]*Server, len(e.Servers))
	for i := range e.Servers {
		place := row.servers.listed[i]
		kept, srv := &row.servers.kept[place], &made[place]
		missed := h.missed
		if kept.last == nil {
			missed, kept.phase = 0, row.phase+1+int(place)
		}
		kept.appear(srv, &e.Servers[i], full[place], at)
		kept.trend.step(h.tick, missed, kept.phase, &srv.Figures)
		srv.Trend = kept.trend.show()
		kept.last = srv
		s.Servers[place] = srv
		if srv.Partial && !row.blind {
			h.queue.add(e.ServiceID, row)
		}
	}
}

// inFull puts a detail's servers where their rows are.
func (h *history) inFull(row *serviceRow, d *detail) []*ipvs.ServerState {
	n := len(row.servers.keys)
	if cap(h.full) < n {
		h.full = make([]*ipvs.ServerState, n)
	}
	full := h.full[:n]
	clear(full)
	if d == nil {
		return full
	}
	for i := range d.servers {
		if at, ok := row.servers.find(d.servers[i].Addr, i, netip.AddrPort.Compare); ok {
			full[at] = &d.servers[i]
		}
	}
	return full
}

// appear makes a server from what the overview says of it and, when its service
// was read in detail, from that.
func (row *serverRow) appear(s *Server, state, full *ipvs.ServerState, at time.Time) {
	*s = Server{Server: state.Server, Partial: state.Partial, Since: at}
	s.Active, s.Inactive = uint64(state.Active), uint64(state.Inactive)
	last := row.last
	if last == nil {
		s.Name = state.Addr.String()
	} else {
		s.Name, s.Since, s.Seen = last.Name, last.Since, last.Seen
		// What was learnt stays true until someone edits the server. An edit
		// replaces all settings, so one that shows makes the rest unknown too.
		if s.Partial && !last.Partial && last.Weight == state.Weight && last.Forward == state.Forward {
			s.Server, s.Partial = last.Server, false
		}
	}
	if full == nil {
		full = state
	}
	row.fill(s, full, at)
	s.Was = s.Figures
	if last != nil {
		s.Was = last.Figures
		s.WasFull = last.Overloaded() && s.Upper <= last.Upper // a raised threshold lets it in again
	}
}

// fill takes over settings and counters from a full reading. Connections are
// left as they are: those of a whole sample are of one moment.
func (row *serverRow) fill(s *Server, full *ipvs.ServerState, at time.Time) {
	if full.Partial {
		return
	}
	if !row.count.began {
		s.Since = at
	}
	s.Server, s.Partial = full.Server, false
	s.Persistent, s.PersistentKnown = uint64(full.Persistent), true
	s.Total, s.Rate, s.Counted = full.Stats.Total, full.Stats.Rate, true
	s.Seen = s.Seen.Add(row.count.grown(s.Total))
}

// amend makes the last sample anew with some services read in detail. It is the
// same moment: nothing else moves, no point is added to a trend.
func (h *history) amend(r *reading) *Sample {
	s := *h.last
	s.Services, s.Missed = slices.Clone(s.Services), r.missed
	for i := range r.details {
		if place, ok := h.services.find(r.details[i].id, 0, ipvs.ServiceID.Compare); ok {
			s.Services[place] = h.refill(&h.services.kept[place], &r.details[i], r.at)
		}
	}
	s.Sum()
	return h.handOver(&s)
}

func (h *history) refill(row *serviceRow, d *detail, at time.Time) *Service {
	svc := *row.last
	full := h.inFull(row, d)
	made := make([]Server, len(svc.Servers))
	svc.Servers = make([]*Server, len(made))
	for i, old := range row.last.Servers {
		kept := &row.servers.kept[i]
		made[i] = *old
		if full[i] != nil {
			kept.fill(&made[i], full[i], at)
		}
		kept.last, svc.Servers[i] = &made[i], &made[i]
	}
	svc.Sum()
	row.last = &svc
	return &svc
}

// failed is the last good sample with the reason why there is no newer one.
func (h *history) failed(err error, interval time.Duration) *Sample {
	h.tick++
	h.missed = min(h.missed+1, TrendLen*TrendEvery)
	s := Sample{Trend: noTrend}
	if h.last != nil {
		s = *h.last
	}
	s.Err, s.Interval = err, interval
	return h.handOver(&s)
}
