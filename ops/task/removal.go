package task

import (
	"fmt"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/plan"
)

// emptyFor is in how many samples in a row a server must be empty: a connection
// that is just being made shows in the next.
const emptyFor = 2

// Removal waits until a drained server is empty and removes it.
type Removal struct {
	Server plan.Row
	All    bool          // inactive connections count too
	Limit  time.Duration // then it is removed as it is; 0: no limit

	began  time.Time
	looked time.Time // at which sample
	empty  int       // samples in a row
	left   uint64    // connections that count
}

// Row implements Job.
func (r *Removal) Row() plan.Row { return r.Server }

func (r *Removal) String() string { return "remove " + rowName(r.Server) + " when empty" }

func (r *Removal) short() string { return "remove " + r.Server.Server.Addr.String() }

func (r *Removal) begin(now time.Time) { r.began = now }

func (r *Removal) next(now time.Time, seen sight) move {
	if why := disturbed(r.Server, seen.server); why != "" {
		return move{stop: why}
	}
	if seen.at.After(r.looked) {
		r.look(seen)
	}
	if r.empty < emptyFor && !r.late(now) {
		return move{}
	}
	p := plan.RemoveServers([]plan.Row{r.Server})
	p.Items[0].Reason = "It is drained and empty."
	if r.empty < emptyFor {
		p.Items[0].Reason = fmt.Sprintf("It is drained, and the time limit has passed with %s left.", count(r.left, "connection"))
	}
	return move{plan: p}
}

func (r *Removal) look(seen sight) {
	r.looked, r.left = seen.at, r.counted(seen.server)
	if r.empty++; r.left > 0 {
		r.empty = 0
	}
}

func (r *Removal) counted(s *ops.Server) uint64 {
	if r.All {
		return s.Active + s.Inactive
	}
	return s.Active
}

func (r *Removal) late(now time.Time) bool { return r.Limit > 0 && now.Sub(r.began) >= r.Limit }

func (r *Removal) applied(now time.Time) string {
	after := "removed after " + span(now.Sub(r.began))
	if r.left > 0 {
		after += fmt.Sprintf(", with %s left", count(r.left, "connection"))
	}
	return after
}

func (r *Removal) progress(now time.Time) string {
	what := count(r.left, "active connection") + " left"
	if r.All {
		what = count(r.left, "connection") + " left"
	}
	if r.Limit > 0 {
		what += ", waits " + span(max(0, r.Limit-now.Sub(r.began))) + " at the most"
	}
	return what
}
