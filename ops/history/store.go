package history

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// Key names a row: a service, with Server one of its servers; the zero Key is the
// whole table.
type Key struct {
	Service ipvs.ServiceID
	Server  netip.AddrPort
}

// String names the row in full.
func (k Key) String() string {
	switch {
	case k == (Key{}):
		return "the whole table"
	case k.Server.IsValid():
		return k.Server.String() + " of " + k.Service.String()
	}
	return k.Service.String()
}

// Metric is one of the figures that are remembered.
type Metric uint8

// The metrics. Those after Inactive are per second, as the kernel averages them,
// and known of a server only while its service is in the sampler's focus.
const (
	Active Metric = iota
	Inactive
	Conns // new ones
	InBytes
	OutBytes
	InPackets
	OutPackets
	Metrics // how many there are
)

// tiers are the frames' sizes, how many there are of each, and their memory, at the
// most. At the default interval 5 minutes of readings, half an hour of tens of
// seconds and 4 hours of minutes fit up to about 35,000 servers; of a larger table
// they reach less far back, of 100,000 servers 2 minutes, 12 minutes and 1 hour.
var tiers = [...]struct {
	step  time.Duration // 0: a reading each
	keep  int
	bytes int
}{
	{0, 150, 24 << 20},
	{10 * time.Second, 180, 32 << 20},
	{time.Minute, 240, 48 << 20},
}

// rowStays is how long a row is kept that left the table.
const rowStays = time.Hour

// Store is the history of a table.
//
// Memory: 104 MiB for frames at the most, 200 bytes for each row that is in the
// table or left it within the hour, and marksMax marks. A server takes 4 bytes of
// each frame, and 14 more of those in which its own counters were read (24 where
// several became one); a service takes 14 (28).
//
// All methods may be used at once.
type Store struct {
	mu sync.Mutex
	standing
	changes int             // samples that showed some
	bytes   [len(tiers)]int // of the frames of each tier, at the most

	scratch []counters
}

// standing is what a history knows.
type standing struct {
	services   []serviceRow // by identity
	ofServices columns
	ofServers  columns
	tiers      [len(tiers)]tier
	marks      []Mark // by time
	short      bool   // the bound has cut the longest tier
}

// New makes an empty store.
func New() *Store {
	s := &Store{}
	for n := range tiers {
		s.bytes[n] = tiers[n].bytes
	}
	s.clear()
	return s
}

// Reset forgets everything, before another time is told.
func (s *Store) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

func (s *Store) clear() { s.standing = standing{ofServices: columns{used: 1}} }

// Changes counts the samples that showed a change of the table: when it has grown,
// the journal may tell more about it.
func (s *Store) Changes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// Add takes a sample into the history. One with an error leaves a gap. One of the
// same moment as the last adds what is known of it besides. One from before the
// last means that the clock was set back: what was after it is forgotten.
func (s *Store) Add(sample *ops.Sample) {
	if sample.Err != nil || sample.Time.IsZero() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := sample.Time.UnixNano()
	last := s.tiers[0].last()
	if last != nil && now < last.to {
		s.cut(now)
		last = s.tiers[0].last()
	}
	if last != nil && now == last.to {
		more := *last // frames never change: what Keep remembers shares them
		more.services, more.servers = slices.Clone(last.services), slices.Clone(last.servers)
		s.fill(&more, sample)
		s.tiers[0].frames[len(s.tiers[0].frames)-1] = &more
		return
	}
	from := now - max(int64(sample.Interval), int64(time.Second))
	if last != nil && from < last.to+int64(sample.Interval)*3/2 {
		from = last.to
	}
	seen := s.follow(sample, from)
	f := &frame{from: from, to: now}
	f.services = blank(int(s.ofServices.used) * perService)
	f.servers = blank(int(s.ofServers.used) * perServer)
	s.fill(f, sample)
	if last != nil {
		if marks := seen.marks(sample.Time); len(marks) > 0 {
			s.changes++
			s.mark(marks...)
		}
	}
	s.append(0, f)
}

// fill writes a sample's figures into a frame. The rows follow the sample.
func (s *Store) fill(f *frame, sample *ops.Sample) {
	put(f.services[:perService], &sample.Figures)
	counted := s.scratch[:0]
	together(s.services, len(sample.Services), byID(sample), func(r *serviceRow, i int) {
		if r == nil || i < 0 {
			return
		}
		put(f.services[int(r.column)*perService:][:perService], &sample.Services[i].Figures)
		servers := sample.Services[i].Servers
		together(r.servers, len(servers), byAddr(servers), func(r *serverRow, i int) {
			if r == nil || i < 0 {
				return
			}
			put(f.servers[int(r.column)*perServer:][:perServer], &servers[i].Figures)
			if servers[i].Counted {
				counted = append(counted, counters{r.column, &servers[i].Figures})
			}
		})
	})
	slices.SortFunc(counted, func(a, b counters) int { return cmp.Compare(a.column, b.column) })
	f.counted, f.counters = make([]int32, len(counted)), make([]small, len(counted)*perCounted)
	var all [perService]small
	for i, c := range counted {
		put(all[:], c.figures)
		f.counted[i] = c.column
		copy(f.counters[i*perCounted:], all[perServer:])
	}
	clear(counted)
	s.scratch = counted
}

// counters are a server's with its column.
type counters struct {
	column  int32
	figures *ops.Figures
}

// put writes as many metrics as there is room for, which are unknown until then.
func put(to []small, f *ops.Figures) {
	to[Active], to[Inactive] = pack(eighth*f.Active), pack(eighth*f.Inactive)
	if len(to) == perServer {
		return
	}
	if !f.Counted {
		for m := Conns; m < Metrics; m++ {
			to[m] = unknown
		}
		return
	}
	to[Conns] = pack(eighth * f.Rate.Conns)
	to[InBytes], to[OutBytes] = pack(eighth*f.Rate.InBytes), pack(eighth*f.Rate.OutBytes)
	to[InPackets], to[OutPackets] = pack(eighth*f.Rate.InPackets), pack(eighth*f.Rate.OutPackets)
}
