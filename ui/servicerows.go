package ui

import (
	"fmt"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/pulse"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
)

// lately is the time over which the sharing of new connections are taken.
const lately = 5 * time.Minute

// largeRow is one line of the service screen: a server, or the service itself.
type largeRow struct {
	services.Row
	*ops.Figures
	trend  *ops.Trend
	all    *sharing
	fresh  float64      // connections begun lately; negative: not known
	counts conns.Counts // of the reading
	read   bool         // there was one
}

// sharing is what the servers of a service have together.
type sharing struct {
	weight, fresh float64
	most          float64       // the largest share, of weight or of new connections
	over          time.Duration // how much of the time lately is known
}

// rows are the service and its servers.
func (s *serviceScreen) rows(m *Model, v *ops.Service) []largeRow {
	all := &sharing{}
	rows := make([]largeRow, 1+len(v.Servers))
	for i := range rows {
		row, k := &rows[i], services.Key{Service: s.id}
		row.all, row.Figures, row.trend = all, &v.Figures, v.Trend
		if i > 0 {
			r := v.Servers[i-1]
			k.Server, row.Figures, row.trend = r.Addr, &r.Figures, r.Trend
			row.fresh = all.begun(r.Trend, m.pulse.Times())
			all.weight += float64(check.Weighs(v, r))
			all.fresh += max(0, row.fresh)
		}
		row.Row, _ = m.list.Find(k)
		row.counts, row.read = s.counts(k.Server)
	}
	rows[0].fresh = all.fresh
	for i := range rows[1:] {
		all.most = max(all.most, rows[1+i].freshShare(), rows[1+i].weightShare())
	}
	return rows
}

// begun is how many connections a server was given lately, as far as that was read.
func (a *sharing) begun(t *ops.Trend, times *pulse.Times) float64 {
	points := t.Conns[max(0, len(t.Conns)-max(1, times.Points(lately))):]
	sum, known := 0.0, time.Duration(0)
	for i, p := range points {
		if p >= 0 {
			each := times.Of(len(points) - 1 - i)
			sum += float64(p) * each.Seconds()
			known += each
		}
	}
	if known == 0 {
		return -1
	}
	a.over = max(a.over, known)
	return sum
}

func (r *largeRow) weightShare() float64 {
	if r.all.weight == 0 {
		return 0
	}
	return float64(check.Weighs(r.Service, r.Server)) / r.all.weight
}

// freshShare is a server's part of the new connections; negative: not known.
func (r *largeRow) freshShare() float64 {
	if r.fresh < 0 || r.all.fresh <= 0 {
		return -1
	}
	return r.fresh / r.all.fresh
}

func (r *largeRow) answers() bool {
	if r.Server != nil {
		return r.Server.Forward.CountsReplies()
	}
	return r.Service.Forwards.CountsReplies()
}

// largeColumn is one column of the service screen.
type largeColumn struct {
	title string
	width int
	of    func(*largeRow) (paint.Style, string)
}

// The columns. Those of what is known besides by a reading of connections are
// states; TEMPL is the kernel's own count.
var (
	largeWeight = largeColumn{"WEIGHT", 7, func(r *largeRow) (paint.Style, string) {
		switch {
		case r.Server == nil:
			return count(uint64(r.all.weight), true)
		case r.Server.Weight == 0:
			return paint.Warn, "0"
		}
		return count(uint64(r.Server.Weight), true)
	}}
	largeShare = largeColumn{"SHARE", 7, func(r *largeRow) (paint.Style, string) {
		if r.Server == nil {
			return paint.Rest, ""
		}
		return paint.Plain, percent(r.weightShare())
	}}
	largeActive   = largeColumn{"ACTIVE", 7, func(r *largeRow) (paint.Style, string) { return count(r.Active, true) }}
	largeInactive = largeColumn{"INACT", 7, func(r *largeRow) (paint.Style, string) { return count(r.Inactive, true) }}
	largeTempl    = largeColumn{"TEMPL", 7, func(r *largeRow) (paint.Style, string) { return count(r.Persistent, r.PersistentKnown) }}
	largeConns    = largeColumn{"CONN/S", 8, func(r *largeRow) (paint.Style, string) { return count(r.Rate.Conns, r.Counted) }}
	largeTraffic  = []largeColumn{
		{"PKT/S IN", 9, func(r *largeRow) (paint.Style, string) { return count(r.Rate.InPackets, r.Counted) }},
		{"PKT/S OUT", 10, func(r *largeRow) (paint.Style, string) { return count(r.Rate.OutPackets, r.Counted && r.answers()) }},
		{"BIT/S IN", 9, func(r *largeRow) (paint.Style, string) { return bits(r.Rate.InBytes, r.Counted) }},
		{"BIT/S OUT", 10, func(r *largeRow) (paint.Style, string) { return bits(r.Rate.OutBytes, r.Counted && r.answers()) }},
	}
	largeStates = []largeColumn{
		{"ESTAB", 8, func(r *largeRow) (paint.Style, string) { return count(r.counts.Open, r.read) }},
		{"HALF", 7, func(r *largeRow) (paint.Style, string) {
			if r.counts.ManyHalfOpen() {
				return paint.Warn, figure.Count(r.counts.HalfOpen)
			}
			return count(r.counts.HalfOpen, r.read)
		}},
		{"OTHER", 7, func(r *largeRow) (paint.Style, string) {
			return count(r.counts.Conns-r.counts.Open-r.counts.HalfOpen, r.read)
		}},
		{"IDLE", 7, func(r *largeRow) (paint.Style, string) { return count(r.counts.Idle, r.read) }},
		{"HELD", 7, func(r *largeRow) (paint.Style, string) { return count(r.counts.Templates, r.read) }},
	}
)

// largeFresh is the part of the new connections; of the service, how many there
// were.
func largeFresh(over time.Duration) largeColumn {
	return largeColumn{"NEW " + short(over), 8, func(r *largeRow) (paint.Style, string) {
		if r.Server == nil {
			return count(uint64(r.fresh), r.all.over > 0)
		}
		if r.freshShare() < 0 {
			return paint.Rest, figure.Unknown
		}
		return paint.Strong, percent(r.freshShare())
	}}
}

// short is a time of up to some minutes in three letters: 40s, 5m.
func short(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}

func count(n uint64, known bool) (paint.Style, string) {
	switch {
	case !known:
		return paint.Rest, figure.Unknown
	case n == 0:
		return paint.Rest, "0"
	}
	return paint.Plain, figure.Count(n)
}

func bits(n uint64, known bool) (paint.Style, string) {
	if !known || n == 0 {
		return count(n, known)
	}
	return paint.Plain, figure.Bits(n)
}

func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }
