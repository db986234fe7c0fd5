package check

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// How long whiles are. The kernel brings counters up to date every 2 s, those of one
// server together and of each at a moment of its own (ip_vs_est.c): what a server's
// figures say of one another may be told at once, and what servers' say of one
// another only after many such steps.
const (
	lately = 10 * time.Second
	longer = 2 * time.Minute
)

// Moved is what a server has counted over a while.
type Moved struct {
	ipvs.Traffic
	For time.Duration
}

// meter remembers what servers have counted. Samples have the counters of services
// in focus every time, and of the others in turn: what is remembered is each
// service's own last while, however long ago.
type meter struct {
	mu       sync.Mutex
	services map[ipvs.ServiceID]*metered
}

// metered is a service while it has the same servers of the same weights.
type metered struct {
	scheduler string
	servers   []weighed
	counts    []count // beside servers
	round     uint64  // of the sample it was last in
}

type weighed struct {
	addr    netip.AddrPort
	weight  uint32
	forward ipvs.Forward
}

// count is a server's counters now, and at the beginnings of two whiles.
type count struct {
	now           reading
	lately, since span
}

type reading struct {
	at    time.Time
	total ipvs.Traffic
}

// span is where a while begins, and where the next one will.
type span struct{ from, next reading }

// roll begins anew when the next while is long enough to be told of.
func (s *span) roll(now reading, enough time.Duration) {
	if now.at.Sub(s.next.at) >= enough {
		s.from, s.next = s.next, now
	}
}

// add takes the counters of a sample. Services that have gone are forgotten.
func (m *meter) add(s *ops.Sample) {
	if s.Err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.services == nil {
		m.services = map[ipvs.ServiceID]*metered{}
	}
	for _, v := range s.Services {
		known := m.services[v.ServiceID]
		if known == nil || !known.same(v) {
			known = newMetered(v)
			m.services[v.ServiceID] = known
		}
		known.round = s.Seq
		for i, r := range v.Servers {
			if r.Counted {
				known.counts[i].add(reading{s.Time, r.Total})
			}
		}
	}
	if len(m.services) > len(s.Services) {
		for id, known := range m.services {
			if known.round != s.Seq {
				delete(m.services, id)
			}
		}
	}
}

func newMetered(v *ops.Service) *metered {
	m := &metered{scheduler: v.Scheduler, counts: make([]count, len(v.Servers))}
	for _, r := range v.Servers {
		m.servers = append(m.servers, weigh(r))
	}
	return m
}

func weigh(r *ops.Server) weighed { return weighed{r.Addr, r.Weight, r.Forward} }

func (m *metered) same(v *ops.Service) bool {
	return m.scheduler == v.Scheduler && slices.EqualFunc(m.servers, v.Servers, func(w weighed, r *ops.Server) bool { return w == weigh(r) })
}

// add goes on from the last reading, unless the counters have been set back.
func (c *count) add(now reading) {
	if was := c.now; was.at.IsZero() || !grew(was.total, now.total) {
		*c = count{now: now, lately: span{now, now}, since: span{now, now}}
		return
	}
	c.now = now
	c.lately.roll(now, lately)
	c.since.roll(now, longer)
}

func grew(was, is ipvs.Traffic) bool {
	return is.Conns >= was.Conns && is.InPackets >= was.InPackets && is.OutPackets >= was.OutPackets &&
		is.InBytes >= was.InBytes && is.OutBytes >= was.OutBytes
}

// between is what was counted from one reading to another.
func between(from, to reading) Moved {
	is, was := to.total, from.total
	return Moved{ipvs.Traffic{
		Conns: is.Conns - was.Conns, InPackets: is.InPackets - was.InPackets, OutPackets: is.OutPackets - was.OutPackets,
		InBytes: is.InBytes - was.InBytes, OutBytes: is.OutBytes - was.OutBytes,
	}, to.at.Sub(from.at)}
}

// moved is what servers have counted lately, and over a longer while in which
// nothing was changed about their service, once it has been that long. Those that
// stood still are left out.
func (m *meter) moved() (short, long map[Place]Moved) {
	m.mu.Lock()
	defer m.mu.Unlock()
	short, long = map[Place]Moved{}, map[Place]Moved{}
	for id, known := range m.services {
		for i := range known.counts {
			c, at := &known.counts[i], Place{id, known.servers[i].addr}
			if n := between(c.lately.from, c.now); n.Traffic != (ipvs.Traffic{}) {
				short[at] = n
			}
			if n := between(c.since.from, c.now); n.Traffic != (ipvs.Traffic{}) && n.For >= longer {
				long[at] = n
			}
		}
	}
	return short, long
}
