package alarm

import (
	"fmt"
	"slices"
	"strings"

	"lvsdeck/ops"
)

// Figure is a number of a row, by the name that its column has.
type Figure string

// The figures. Rates are the kernel's own, means of about 8 s. A share is of what
// a server's service has, in percent.
const (
	ConnRate    Figure = "conn/s"
	Active      Figure = "active"
	Inactive    Figure = "inactive"
	Conns       Figure = "connections" // active and inactive together
	InBits      Figure = "bit/s in"
	OutBits     Figure = "bit/s out"
	InPackets   Figure = "pkt/s in"
	OutPackets  Figure = "pkt/s out"
	ShareNew    Figure = "share of new"    // of new connections
	ShareActive Figure = "share of active" // of active connections
)

// shareLeast is how many connections (a second) a service must have for shares of
// them to say something.
const shareLeast = 20

// kind is how a figure is had.
type kind struct {
	Figure
	of      func(*ops.Figures) uint64
	counted bool // it is there only where counters were read
	replies bool // it means something only where answers pass the director
	share   bool // of the service's
}

var kinds = []kind{
	{Figure: ConnRate, of: func(f *ops.Figures) uint64 { return f.Rate.Conns }, counted: true},
	{Figure: Active, of: func(f *ops.Figures) uint64 { return f.Active }},
	{Figure: Inactive, of: func(f *ops.Figures) uint64 { return f.Inactive }},
	{Figure: Conns, of: func(f *ops.Figures) uint64 { return f.Active + f.Inactive }},
	{Figure: InBits, of: func(f *ops.Figures) uint64 { return bits(f.Rate.InBytes) }, counted: true},
	{Figure: OutBits, of: func(f *ops.Figures) uint64 { return bits(f.Rate.OutBytes) }, counted: true, replies: true},
	{Figure: InPackets, of: func(f *ops.Figures) uint64 { return f.Rate.InPackets }, counted: true},
	{Figure: OutPackets, of: func(f *ops.Figures) uint64 { return f.Rate.OutPackets }, counted: true, replies: true},
	{Figure: ShareNew, of: func(f *ops.Figures) uint64 { return f.Rate.Conns }, counted: true, share: true},
	{Figure: ShareActive, of: func(f *ops.Figures) uint64 { return f.Active }, share: true},
}

// bits stays at the largest where it would overflow.
func bits(bytes uint64) uint64 { return min(bytes, 1<<61-1) * 8 }

func (f Figure) kind() (kind, error) {
	if i := slices.IndexFunc(kinds, func(k kind) bool { return k.Figure == f }); i >= 0 {
		return kinds[i], nil
	}
	return kind{}, fmt.Errorf("figure %q: must be one of %s", f, strings.Join(names(), ", "))
}

func names() (all []string) {
	for _, k := range kinds {
		all = append(all, string(k.Figure))
	}
	return all
}

// Share tells a figure in percent.
func (f Figure) Share() bool { k, _ := f.kind(); return k.share }

// Counted tells a figure that is known only where counters are read.
func (f Figure) Counted() bool { k, _ := f.kind(); return k.counted }

// Bits tells a figure in bits per second.
func (f Figure) Bits() bool { return f == InBits || f == OutBits }

// Figures are those that a row has.
func (r Row) Figures() (all []Figure) {
	for _, k := range kinds {
		if !k.share || r.Server.IsValid() {
			all = append(all, k.Figure)
		}
	}
	return all
}

// Of is the figure of a row in a sample. It is known only where listed, the row
// being in the table, and only when it was read for this very sample.
func (f Figure) Of(row Row, s *ops.Sample) (v float64, known, listed bool) {
	k, err := f.kind()
	if err != nil {
		return 0, false, false
	}
	service, server, listed := row.find(s)
	figures, replies := &s.Figures, true
	switch {
	case !listed:
		return 0, false, false
	case server != nil:
		figures, replies = &server.Figures, server.Forward.CountsReplies()
	case service != nil:
		figures, replies = &service.Figures, service.Forwards.CountsReplies()
	default:
		for _, v := range s.Services {
			if !v.Forwards.CountsReplies() {
				replies = false
			}
		}
	}
	if k.counted && !figures.Counted || k.replies && !replies {
		return 0, false, true
	}
	v = float64(k.of(figures))
	if !k.share {
		return v, true, true
	}
	if server == nil || k.counted && !service.Counted {
		return 0, false, true
	}
	all := k.of(&service.Figures)
	if all < shareLeast {
		return 0, false, true
	}
	return min(100, 100*v/float64(all)), true, true
}
