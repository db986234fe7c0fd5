package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
)

// named is how many things are named in a sentence.
const named = 3

// list names things, as many as a sentence takes.
func list(all []string) string {
	if len(all) > named {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:named], ", "), len(all)-named)
	}
	return strings.Join(all, ", ")
}

// number is a mean as a whole number, where it is known.
func number(v float32) string {
	if v < 0 {
		return "an unknown number"
	}
	return fmt.Sprintf("%.0f", v)
}

// went says how a mean moved.
func went(before, during float32, unit string) string {
	from, to := number(before), number(during)
	if from == to {
		return "stayed at " + to + unit
	}
	return "went from " + from + " to " + to + unit
}

// changed says how the whole table's figures moved, and what was done to it.
func (r *Report) changed() {
	all := r.row(history.Key{}, false)
	say := func(format string, args ...any) { r.Changed = append(r.Changed, fmt.Sprintf(format, args...)) }
	switch {
	case all.Before.Conns < 0 || all.During.Conns < 0:
		say("How the whole table's figures moved is not known.")
	case steady(all.Before.Conns, all.During.Conns) && steady(all.Before.Active, all.During.Active):
		say("The whole table's figures moved by less than a fifth: %s new connections a second and %s active ones, before %s and %s.",
			number(all.During.Conns), number(all.During.Active), number(all.Before.Conns), number(all.Before.Active))
	default:
		say("Since %s new connections %s and active ones %s.", r.Clock(r.Began),
			went(all.Before.Conns, all.During.Conns, " a second"), went(all.Before.Active, all.During.Active, ""))
	}
	var rows []string
	for _, row := range r.Rows {
		rows = append(rows, row.Row.String())
	}
	if len(rows) > 0 {
		say("Most moved %s.", list(rows))
	}
	n, last := 0, Event{}
	for _, e := range r.Events {
		if e.Kind == history.Changed.String() || e.Kind == history.Seen.String() {
			n, last = n+1, e
		}
	}
	switch n {
	case 0:
		say("Nothing was changed on the director in this time, as far as was seen.")
	case 1:
		say("The director was changed once: %s, %s.", r.Clock(last.Time), last.Text)
	default:
		say("The director was changed %d times, the last at %s: %s.", n, r.Clock(last.Time), last.Text)
	}
}

// steady tells a mean that moved by less than a fifth, or by less than a number shows.
func steady(before, during float32) bool {
	return number(before) == number(during) || ratio(before, during, 0.01) < 1.2
}

// open are the findings that are more than notices.
func (r *Report) open() (all []check.Finding) {
	if r.Checks == nil {
		return nil
	}
	for _, f := range r.Checks.Findings {
		if f.Severity > check.Notice {
			all = append(all, f)
		}
	}
	return all
}

// logged are the faults of the incident log that have not ended, of rows of
// which checks do not find one now, the oldest first.
func (r *Report) logged() (all []incident.Entry) {
	if r.Log == nil {
		return nil
	}
	known := map[string]bool{} // what was told by something newer
	for _, e := range r.Log.Between(time.Time{}, r.To) {
		newest := !known[e.ID]
		if e.Kind != incident.Noted {
			known[e.ID] = true
		}
		if !newest || e.Kind != incident.Found || e.Severity != check.Fault.String() {
			continue
		}
		if !slices.ContainsFunc(r.open(), func(f check.Finding) bool {
			return f.Severity == check.Fault && f.Service == e.Row.Service && f.Server == e.Row.Server
		}) {
			all = append(all, e)
		}
	}
	slices.Reverse(all)
	return all
}

// affected says which services have faults, crossed thresholds, or less traffic.
func (r *Report) affected() {
	say := func(format string, args ...any) { r.Affected = append(r.Affected, fmt.Sprintf(format, args...)) }
	add := func(to []string, row alarm.Row) []string {
		name := "the whole director"
		if !row.Director() {
			name = alarm.Row{Service: row.Service}.String()
		}
		if slices.Contains(to, name) {
			return to
		}
		return append(to, name)
	}
	unserved := r.unserved()
	var faults, warned, crossed, fell, left []string
	fault := func(row alarm.Row) {
		if row.Director() || !slices.Contains(unserved, row.Service.String()) { // else that says it
			faults = add(faults, row)
		}
	}
	for _, f := range r.open() {
		row := alarm.Row{Service: f.Service, Server: f.Server}
		if f.Severity == check.Fault {
			fault(row)
		} else {
			warned = add(warned, row)
		}
	}
	for _, e := range r.logged() {
		fault(e.Row)
	}
	for _, e := range r.Events {
		if e.Kind == string(incident.Crossed) {
			crossed = add(crossed, e.Row)
		}
	}
	for _, row := range r.Rows {
		switch {
		case !row.halved():
		case row.Gone:
			left = append(left, row.Row.String())
		default:
			fell = append(fell, row.Row.String())
		}
	}
	if len(unserved) > 0 {
		say("New clients of %s are not served: as of %s no server there takes new connections.", list(unserved), r.Clock(r.Latest.Time))
	}
	if len(faults) > 0 {
		say("Clients of %s are not served, or not all: checks find faults there.", list(faults))
	}
	if len(warned) > 0 {
		say("Checks warn of %s.", list(warned))
	}
	if len(crossed) > 0 {
		say("Thresholds were crossed of %s.", list(crossed))
	}
	if len(left) > 0 {
		say("Not in the table any more, with connections before: %s.", list(left))
	}
	if all := r.row(history.Key{}, false); all.halved() {
		say("New or active connections of the whole table fell to less than half.")
	}
	if len(fell) > 0 {
		say("New or active connections fell to less than half at %s.", list(fell))
	}
	if len(r.Affected) == 0 {
		say("Nobody is seen to be affected%s", r.looked())
	}
}

// unserved are the services that have no usable server in the newest sample.
func (r *Report) unserved() (all []string) {
	if r.Latest == nil {
		return nil
	}
	for _, v := range r.Latest.Services {
		if v.Up == 0 {
			all = append(all, v.ServiceID.String())
		}
	}
	return all
}

// looked says by what it is known that nobody is affected, and what there was not.
func (r *Report) looked() string {
	var by []string
	checks := r.unchecked()
	if checks == "" {
		by = append(by, "checks find no fault as of "+r.Clock(r.Checks.Time))
	}
	if r.Log != nil {
		by = append(by, "no thresholds were crossed")
	}
	if all := r.row(history.Key{}, false); all.Before.Conns >= 0 && all.During.Conns >= 0 {
		by = append(by, "nothing lost half of its connections")
	}
	says := "."
	if len(by) > 0 {
		says = ": " + strings.Join(by, ", ") + "."
	}
	if checks != "" {
		says += " " + checks
	}
	return says
}

// unchecked says that no round of checks is of the span, or nothing.
func (r *Report) unchecked() string {
	switch {
	case r.Checks == nil:
		return "No checks were made."
	case r.Checks.Time.Before(r.From):
		return fmt.Sprintf("Checks were last made at %s, before this time.", r.Checks.Time.Local().Format(time.DateTime))
	}
	return ""
}

// halved tells a row that lost half of its new or active connections.
func (r Row) halved() bool {
	return halved(r.Before.Conns, r.During.Conns, floorOf(history.Conns)) || halved(r.Before.Active, r.During.Active, floorOf(history.Active))
}

// halved tells a figure that was worth something and lost half of it.
func halved(before, during, floor float32) bool {
	return before > floor && during >= 0 && during < before/2
}

// justBefore is how long before the beginning a change is taken for a cause.
const justBefore = 2 * time.Minute

// causes says what figures speak for, the strongest first.
func (r *Report) causes() {
	say := func(format string, args ...any) { r.Causes = append(r.Causes, fmt.Sprintf(format, args...)) }
	var faults []string // each once
	where := map[string][]string{}
	for _, f := range r.open() {
		if f.Severity != check.Fault {
			continue
		}
		if where[f.Short] == nil {
			faults = append(faults, f.Short)
		}
		where[f.Short] = append(where[f.Short], alarm.Row{Service: f.Service, Server: f.Server}.String())
	}
	for _, short := range faults[:min(named, len(faults))] {
		say("Checks find: %s (%s).", short, list(where[short]))
	}
	var logged []string
	for _, e := range r.logged() {
		logged = append(logged, fmt.Sprintf("%s (%s)", e.Text, e.Row))
	}
	if len(logged) > 0 {
		say("The incident log has, and not that it ended: %s.", list(logged))
	}
	r.changedBefore(say)
	r.rise(say)
	r.clients(say)
	if len(r.Causes) == 0 {
		say("Figures do not say who causes it.")
	}
}

// changedBefore says what was changed just before it began.
func (r *Report) changedBefore(say func(string, ...any)) {
	var what []string
	var first, last time.Time
	for _, e := range r.Events {
		changed := e.Kind == history.Changed.String() || e.Kind == history.Seen.String()
		if changed && !e.Time.After(r.Began.Add(r.rough)) && r.Began.Sub(e.Time) <= justBefore {
			if len(what) == 0 {
				first = e.Time
			}
			what, last = append(what, e.Text), e.Time
		}
	}
	switch {
	case len(what) == 0:
	case last.After(r.Began):
		say("The director was changed at about the time when it began: %s.", list(what))
	case len(what) > 1:
		say("The director was changed %d to %d s before it began: %s.", int(r.Began.Sub(first).Seconds()), int(r.Began.Sub(last).Seconds()), list(what))
	default:
		say("The director was changed %d s before it began: %s.", int(r.Began.Sub(last).Seconds()), what[0])
	}
}

// rise says whose new connections make up most of a rise of the whole table's.
func (r *Report) rise(say func(string, ...any)) {
	all := r.row(history.Key{}, false)
	if moved(all.Before.Conns, all.During.Conns, floorOf(history.Conns)) == 0 || all.During.Conns <= all.Before.Conns {
		return
	}
	for _, row := range r.Rows {
		if row.Row.Server.IsValid() || row.Before.Conns < 0 {
			continue
		}
		if share := (row.During.Conns - row.Before.Conns) / r.risen; share > .5 {
			say("%.0f %% of the rise in new connections is at %s: %s a second, before %s.", 100*min(share, 1), row.Row, number(row.During.Conns), number(row.Before.Conns))
		}
	}
}

// clients says which of them have more than their part.
func (r *Report) clients(say func(string, ...any)) {
	c := r.Conns
	if c == nil {
		return
	}
	r.halfOpen(say)
	known := len(r.Causes)
	for _, by := range []conns.By{conns.ByClient, conns.ByNet} {
		for _, g := range r.Top(by) {
			if c.TooMuch(by, g.Counts) {
				say("One %s, %s, has %.0f %% of the connections.", clientWord[by], g.Name(by), 100*c.Share(g.Counts))
			}
		}
	}
	told, logged := 0, r.logged()
	for _, h := range c.Heavy {
		if told < named && r.concerns(h.Service, logged) {
			say("One %s, %s, has %.0f %% of the connections of %s.", clientWord[h.By], h.Name(h.By), 100*h.Share(), alarm.Row{Service: h.Service})
			told++
		}
	}
	if top := r.Top(conns.ByClient); len(top) > 0 && len(r.Causes) == known {
		say("No client has more than its part: the largest, %s, has %.1f %% of the connections.", top[0].Name(conns.ByClient), 100*c.Share(top[0].Counts))
	}
}

// halfOpen says how many have not finished their handshake: it is no flood where one
// server has most of them.
func (r *Report) halfOpen(say func(string, ...any)) {
	var most conns.Group
	for _, g := range r.Top(conns.ByServer) {
		if g.HalfOpen > most.HalfOpen {
			most = g
		}
	}
	all := r.Conns.All
	share, many := 100*float64(all.HalfOpen)/float64(all.Conns), all.ManyHalfOpen()
	switch {
	case most.ManyHalfOpen() && (!many || 2*most.HalfOpen > all.HalfOpen):
		say("%.0f %% of the connections have not finished their handshake, %.0f %% of these with %s.", share, 100*float64(most.HalfOpen)/float64(all.HalfOpen), most.Name(conns.ByServer))
	case many:
		say("%.0f %% of the connections have not finished their handshake: a flood of SYNs, or answers that find no way back.", share)
	}
}

// concerns tells a service that moved, or of which something is found, or was logged.
func (r *Report) concerns(id ipvs.ServiceID, logged []incident.Entry) bool {
	return slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Row.Service == id }) ||
		slices.ContainsFunc(r.open(), func(f check.Finding) bool { return slices.Contains(f.Services(), id) }) ||
		slices.ContainsFunc(logged, func(e incident.Entry) bool { return e.Row.Service == id })
}

var clientWord = map[conns.By]string{conns.ByClient: "client", conns.ByNet: "network"}

// TopMost is how many groups of a grouping a report has.
const TopMost = 10

// Top is the largest groups of a grouping, or none where it was not counted.
func (r *Report) Top(by conns.By) []conns.Group {
	if r.Conns == nil {
		return nil
	}
	for _, ranking := range r.Conns.Rankings {
		if ranking.By == by {
			return ranking.Groups[:min(len(ranking.Groups), TopMost)]
		}
	}
	return nil
}
