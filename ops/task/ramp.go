package task

import (
	"fmt"
	"strconv"
	"time"

	"lvsdeck/ops/plan"
)

// The longest and shortest ramp, and the most steps: not more than one a second.
const (
	MinRamp      = time.Minute
	MaxRamp      = time.Hour
	MaxRampSteps = 60
)

// Ramp brings a server to a weight in steps. A server that comes back with its
// whole weight and no connection gets every new one from wlc and lc until it has
// caught up, just while its caches are cold.
type Ramp struct {
	Server plan.Row // changes with every step
	Target uint32
	Steps  int
	Over   time.Duration // from the first step, which is at once, to the last

	from uint32
	done int
	due  time.Time // of the next step
}

// Row implements Job.
func (r *Ramp) Row() plan.Row { return r.Server }

func (r *Ramp) String() string { return "ramp " + rowName(r.Server) + " to weight " + number(r.Target) }

func (r *Ramp) short() string { return "ramp " + r.Server.Server.Addr.String() }

// begin leaves out steps that would not change the weight.
func (r *Ramp) begin(now time.Time) {
	r.from, r.due = r.Server.Server.Weight, now
	r.Steps = int(max(1, min(int64(r.Steps), abs(int64(r.Target)-int64(r.from)))))
}

func abs(n int64) int64 { return max(n, -n) }

func (r *Ramp) next(now time.Time, seen sight) move {
	if why := disturbed(r.Server, seen.server); why != "" {
		return move{stop: why}
	}
	if now.Before(r.due) {
		return move{}
	}
	p := plan.SetWeight([]plan.Row{r.Server}, r.weight(r.done+1))
	if p.Empty() {
		return move{stop: "it has weight " + number(r.Target) + " already"}
	}
	p.Title = fmt.Sprintf("ramp %s, step %d of %d: weight %d", rowName(r.Server), r.done+1, r.Steps, r.weight(r.done+1))
	p.Toward = r.Target
	p.Items[0].Reason = "New connections come to it little by little."
	return move{plan: p}
}

// weight is the one after a number of steps.
func (r *Ramp) weight(steps int) uint32 {
	return uint32(int64(r.from) + (int64(r.Target)-int64(r.from))*int64(steps)/int64(r.Steps))
}

// applied counts the wait from now, so that steps that came late (a suspended
// console, a busy journal) do not follow each other at once.
func (r *Ramp) applied(now time.Time) string {
	r.done++
	r.Server.Server.Weight = r.weight(r.done)
	if r.done == r.Steps {
		return "has weight " + number(r.Target)
	}
	r.due = now.Add(r.gap())
	return ""
}

func (r *Ramp) gap() time.Duration { return r.Over / time.Duration(max(1, r.Steps-1)) }

func (r *Ramp) progress(now time.Time) string {
	left := max(0, r.due.Sub(now)) + r.gap()*time.Duration(r.Steps-r.done-1)
	return fmt.Sprintf("weight %d of %d, step %d of %d, %s left", r.Server.Server.Weight, r.Target, r.done, r.Steps, span(left))
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
