package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
)

// Sources are what a report is made of. History is needed; of the rest there can be
// none.
type Sources struct {
	Host     string
	Of       string // of what: "the running director", or a recording's name
	From, To time.Time
	Began    time.Time // when the incident began; zero: as the sources say

	History *history.Store // with the journal's marks, when there is a journal
	Latest  *ops.Sample    // the newest of the span
	Log     *incident.History
	NoLog   string        // why there is none, a sentence without its end
	Checks  *check.Report // the newest of the span
	Conns   *conns.Result // a reading of connections by client, network and state
	ConnsAt time.Time
	Lacks   []string // what else could not be had, each a sentence
}

// Report is an incident in words and figures.
type Report struct {
	Sources
	Why   string        // how it is known when it began
	Known time.Time     // from when on figures are
	rough time.Duration // by how much it may have begun later

	risen float32 // new connections a second of all services that have more than before

	Changed, Affected, Causes []string // sentences

	Events  []Event // in order
	Left    int     // older ones that found no room
	Rows    []Row   // those that moved most, the worst first
	Graphs  []Graph
	Missing []string // what there was not, each a sentence
}

// Event is a line of the time line.
type Event struct {
	Time           time.Time
	Kind           string    // changed, seen, and the kinds of the incident log
	Row            alarm.Row // the director's where it is about many
	Text           string    // of a mark
	incident.Entry           // of the log, otherwise without a kind
}

// Means are what a row had over a part of the span: ops.Unknown where nothing was
// read.
type Means struct{ Conns, Active float32 }

// Row is one that moved: what it had before the incident, during it, and at most.
type Row struct {
	Row                  alarm.Row
	Before, During, Most Means
	Gone                 bool // it is not in the table any more
	score                float64
}

// Graph is one figure over the span.
type Graph struct {
	Row    alarm.Row
	Metric history.Metric
	history.Series
}

// The bounds of a report.
const (
	MostEvents = 200
	mostRows   = 10
	graphRows  = 3
	graphParts = 72
	searched   = 20 // services whose servers are looked at
)

// Make makes a report.
func Make(s Sources) Report {
	r := Report{Sources: s, Known: s.From}
	if r.Checks != nil && r.Checks.Time.IsZero() {
		r.Checks = nil // no round was made yet
	}
	if first := s.History.Reach().First; first.After(s.From) && first.Before(s.To) {
		r.Known = first
	}
	r.begin()
	r.timeLine()
	r.rows()
	r.graphs()
	r.missing()
	r.changed()
	r.affected()
	r.causes()
	return r
}

// Clock is a time of the span: with its day, when that has several.
func (r *Report) Clock(t time.Time) string {
	if r.From.Local().Format(time.DateOnly) == r.To.Local().Format(time.DateOnly) {
		return t.Local().Format(time.TimeOnly)
	}
	return t.Local().Format(time.DateTime)
}

// inSpan tells a time that the report is about.
func (r *Report) inSpan(t time.Time) bool { return !t.Before(r.From) && !t.After(r.To) }

func (r *Report) marks() []history.Mark { return r.History.Marks(r.From, r.To.Add(1)) }

// timeLine merges what the log and the history's marks have. What checks found and
// what crossed thresholds is taken from the log where that has any of it.
func (r *Report) timeLine() {
	logged := map[history.Kind]bool{}
	if r.Log != nil {
		for _, e := range r.Log.Between(r.From, r.To) {
			r.Events = append(r.Events, Event{Time: e.Time, Kind: string(e.Kind), Row: e.Row, Entry: e})
			switch e.Kind {
			case incident.Found, incident.Gone:
				logged[history.Found], logged[history.Cleared] = true, true
			case incident.Crossed, incident.Ended:
				logged[history.Crossed], logged[history.Ended] = true, true
			}
		}
	}
	for _, m := range r.marks() {
		if logged[m.Kind] {
			continue
		}
		e := Event{Time: m.Time, Kind: m.Kind.String(), Text: m.Text}
		if len(m.About) == 1 {
			e.Row = alarm.Row(m.About[0])
		}
		r.Events = append(r.Events, e)
	}
	slices.SortStableFunc(r.Events, func(a, b Event) int { return a.Time.Compare(b.Time) })
	if over := len(r.Events) - MostEvents; over > 0 {
		r.Left, r.Events = over, r.Events[over:]
	}
}

// rows finds the rows that moved most: among services, and among the servers of those
// that moved most.
func (r *Report) rows() {
	var services, all []Row
	for _, one := range r.History.Services() {
		if r.leftBefore(one) {
			continue
		}
		v := r.row(one.Key, r.gone(one))
		if v.Before.Conns >= 0 {
			r.risen += max(0, v.During.Conns-v.Before.Conns)
		}
		services = append(services, v)
	}
	worstFirst(services)
	for i, v := range services {
		all = append(all, v)
		if i >= searched || v.Gone {
			continue
		}
		for _, one := range r.History.Servers(history.Key{Service: v.Row.Service}) {
			row := r.row(one.Key, r.gone(one))
			if like := row.like(v); !like && !r.leftBefore(one) && !r.drained(row) { // else the service tells it all
				all = append(all, row)
			}
		}
	}
	worstFirst(all)
	for _, row := range all {
		if row.score > 0 && len(r.Rows) < mostRows {
			r.Rows = append(r.Rows, row)
		}
	}
}

// gone tells a row that left the table within the span, or before it.
func (r *Report) gone(one history.Row) bool { return !one.Left.IsZero() && !one.Left.After(r.To) }

// leftBefore tells a row that was taken out of the table before the incident.
func (r *Report) leftBefore(one history.Row) bool {
	return r.gone(one) && one.Left.Before(r.Began.Add(-justBefore))
}

// drained tells a server that has less because its weight says so.
func (r *Report) drained(row Row) bool {
	if r.Latest == nil || row.During.Conns > row.Before.Conns {
		return false
	}
	for _, v := range r.Latest.Services {
		if v.ServiceID == row.Row.Service {
			return slices.ContainsFunc(v.Servers, func(s *ops.Server) bool { return s.Addr == row.Row.Server && s.Weight == 0 })
		}
	}
	return false
}

func worstFirst(all []Row) {
	slices.SortStableFunc(all, func(a, b Row) int { return cmp.Compare(b.score, a.score) })
}

// row compares what a row had before with what it has during the incident: nothing,
// when it is gone.
func (r *Report) row(k history.Key, gone bool) Row {
	row := Row{Row: alarm.Row(k), Gone: gone}
	part := func(m history.Metric, from, to time.Time) (mean, most float32) {
		s := r.History.Series(k, m, from, to, 1)
		return s.Mean[0], s.Max[0]
	}
	row.Before.Conns, _ = part(history.Conns, r.From, r.Began)
	row.Before.Active, _ = part(history.Active, r.From, r.Began)
	row.During.Conns, row.Most.Conns = part(history.Conns, r.Began, r.To)
	row.During.Active, row.Most.Active = part(history.Active, r.Began, r.To)
	if gone {
		row.During = Means{}
	}
	last := Means{ops.Unknown, ops.Unknown}
	if from := r.Began.Add(-justBefore); from.Sub(r.Known) >= justBefore {
		last.Conns, _ = part(history.Conns, from, r.Began)
		last.Active, _ = part(history.Active, from, r.Began)
	}
	if !gone && same(last.Conns, row.During.Conns, floorOf(history.Conns)) && same(last.Active, row.During.Active, floorOf(history.Active)) {
		return row // it moved before
	}
	row.score = max(moved(row.Before.Conns, row.During.Conns, floorOf(history.Conns)), moved(row.Before.Active, row.During.Active, floorOf(history.Active)))
	return row
}

// same tells two means that are known, and hardly differ.
func same(a, b, floor float32) bool { return a >= 0 && b >= 0 && ratio(a, b, floor) < 1.2 }

// moved is how much a figure moved, for the order of rows: by which factor, and more
// for large ones. Less than by a third is nothing.
func moved(before, during, floor float32) float64 {
	if before < 0 || during < 0 {
		return 0
	}
	by := ratio(before, during, floor)
	if by < 1.33 {
		return 0
	}
	size := float64(max(before, during) / floor)
	return (by - 1) * min(size, 1000)
}

// like tells a server that moved by about what its service did.
func (r Row) like(service Row) bool {
	alike := func(a, b Means, of func(Means) float32, floor float32) bool {
		if of(a) < 0 || of(b) < 0 || of(service.Before) < 0 || of(service.During) < 0 {
			return true
		}
		own, whole := float64((of(b)+floor)/(of(a)+floor)), float64((of(service.During)+floor)/(of(service.Before)+floor))
		return max(own/whole, whole/own) < 1.5
	}
	return alike(r.Before, r.During, func(m Means) float32 { return m.Conns }, floorOf(history.Conns)) &&
		alike(r.Before, r.During, func(m Means) float32 { return m.Active }, floorOf(history.Active))
}

// graphs are those of the whole table and of the rows that moved most, as far as they
// are more than zeros.
func (r *Report) graphs() {
	keys := []history.Key{{}}
	for _, row := range r.Rows[:min(len(r.Rows), graphRows)] {
		keys = append(keys, history.Key(row.Row))
	}
	for _, k := range keys {
		for _, m := range []history.Metric{history.Conns, history.Active} {
			s := r.History.Series(k, m, r.Known, r.To, graphParts)
			if slices.ContainsFunc(s.Mean, func(v float32) bool { return v > 0 }) {
				r.Graphs = append(r.Graphs, Graph{Row: alarm.Row(k), Metric: m, Series: s})
			}
		}
	}
}

// missing says what there was not.
func (r *Report) missing() {
	r.Missing = slices.Clone(r.Lacks)
	miss := func(format string, args ...any) { r.Missing = append(r.Missing, fmt.Sprintf(format, args...)) }
	switch {
	case r.History.Reach().First.IsZero():
		miss("No figures of this span of time are known.")
	case r.Known.After(r.From.Add(shortBefore)):
		miss("Figures are known only from %s on.", r.Clock(r.Known))
	}
	if before := r.Began.Sub(r.Known); r.row(history.Key{}, false).Before.Conns >= 0 && before > 0 && before < shortBefore {
		miss("Of the time before the incident only %d s are known, which it is compared with.", int(before.Seconds()))
	} else if before < shortBefore {
		miss("The incident began with the span, so there is no before to compare it with.")
	}
	if r.Log == nil {
		miss("%s: thresholds and notes are missing.", cmp.Or(r.NoLog, "No incident log was kept"))
	}
	if says := r.unchecked(); says != "" {
		r.Missing = append(r.Missing, says)
	}
	if r.Checks != nil {
		for _, u := range r.Checks.Unread {
			miss("Checks did not look at %s.", u)
		}
	}
	if r.Conns == nil {
		miss("No connections were read, so it is not known which clients they are of.")
	} else if r.Conns.Ended != nil {
		miss("Of the connections a part was read (%v): shares hold, counts are of that part.", r.Conns.Ended)
	}
}
