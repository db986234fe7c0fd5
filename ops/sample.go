package ops

import (
	"time"

	"lvsdeck/ipvs"
)

// Sample is one reading of the table, made ready to be shown. It is immutable:
// the Sampler never touches one after handing it over, and readers must not
// either.
type Sample struct {
	Seq      uint64 // 1, 2, 3 …; a gap means samples were overtaken by newer ones
	Time     time.Time
	Interval time.Duration // between readings
	Took     time.Duration // the reading's own cost

	Info     ipvs.Info
	Services []*Service // ordered by ipvs.ServiceID.Compare
	Servers  int        // in all services together
	Figures             // of the whole table
	Was      Figures    // in the sample before
	Trend    *Trend

	// EstimatorStopped says in words why totals and rates stand still, or is
	// empty. Connection counts stay live.
	EstimatorStopped string

	// Err is why the last reading failed; the rest is then the last good one
	// and Time is when that was.
	Err error

	// Missed is why the servers' own counters are missing although they were
	// asked for. The rest is fresh.
	Missed error
}

// Figures are the numbers of a row that move.
type Figures struct {
	Active, Inactive uint64
	Persistent       uint64 // persistence templates
	Total            ipvs.Traffic
	Rate             ipvs.Traffic // per second, the kernel's average over about 8 s

	// Counted: Total and Rate were read for this very sample. Otherwise they are
	// unknown, not zero: counters from an earlier sample are never shown as live.
	Counted bool

	// PersistentKnown: so was Persistent; a sum is known when all its parts are.
	PersistentKnown bool
}

// Service is one virtual service in a sample. Its Active, Inactive and
// Persistent are the sums over its servers.
type Service struct {
	ipvs.Service
	Partial bool   // see ipvs.ServiceState
	Name    string // ServiceID.Name, made once
	Figures
	Was     Figures      // in the sample before; equal to Figures in the first
	Seen    ipvs.Traffic // counted since the sampler first saw the row, over zeroing and re-creation
	Since   time.Time    // when that was
	Trend   *Trend
	Servers []*Server // ordered by address and port

	Up         int  // servers that take new connections
	Forwards   Ways // the forwarding methods in use
	Overloaded int  // servers at or over their upper threshold
}

// Server is one real server in a sample.
type Server struct {
	ipvs.Server
	Partial bool   // thresholds and tunnel unknown; once read they are known until an edit shows
	Name    string // Addr as text, made once
	Figures
	Was   Figures
	Seen  ipvs.Traffic // as for a service, from the first sample in which it was Counted
	Since time.Time    // when that was
	Trend *Trend

	WasFull bool // was overloaded in the sample before
}

// Overloaded tells a server that is left out: it reached its upper threshold and
// was not seen under its lower one since. The kernel does not say so itself.
func (s *Server) Overloaded() bool {
	if s.Upper == 0 {
		return false
	}
	conns, upper, lower := s.Active+s.Inactive, uint64(s.Upper), uint64(s.Lower)
	back := conns < lower
	if lower == 0 {
		back = 4*conns < 3*upper
	}
	return conns >= upper || s.WasFull && !back
}

// Usable tells whether new connections can go to the server.
func (s *Server) Usable() bool { return s.Weight > 0 && !s.Overloaded() }

// Ways is a set of forwarding methods.
type Ways uint8

// With adds a method to the set.
func (w Ways) With(f ipvs.Forward) Ways { return w | 1<<f }

// Has tells whether a method is in the set.
func (w Ways) Has(f ipvs.Forward) bool { return w&(1<<f) != 0 }

// String is the method when there is one, "mixed" for several, "" for none.
func (w Ways) String() string {
	for f := ipvs.Masq; f <= ipvs.Bypass; f++ {
		switch w {
		case 0:
			return ""
		case Ways(0).With(f):
			return f.String()
		}
	}
	return "mixed"
}

// CountsReplies tells whether packets out mean something for every server.
func (w Ways) CountsReplies() bool {
	return w&^Ways(0).With(ipvs.Masq).With(ipvs.LocalNode) == 0
}

// TrendLen is how many points a Trend holds, TrendEvery how many samples make
// one: at the default 2 s a point is 6 s and the whole 6 minutes.
const (
	TrendLen   = 60
	TrendEvery = 3
)

// Trend is the short history of one row, oldest first. It is immutable and
// shared by the samples until its next point is complete, which rows reach in
// turn, so that not the whole screen moves at once. A point is the mean of its
// samples; Unknown where nothing was read.
type Trend struct {
	Conns  []float32 // new connections per second
	Active []float32 // active connections
}

// Unknown marks a point of a Trend where nothing was read.
const Unknown float32 = -1
