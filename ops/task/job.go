package task

import (
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/plan"
)

// Job is what a task does: a state machine without clock or table. The Keeper
// shows it samples, runs the plans it wants, and tells it when one was applied.
type Job interface {
	// Row is the server as the last plan left it, or as the operator saw it.
	Row() plan.Row
	String() string // "remove 10.0.3.13:443 of TCP 203.0.113.10:443 when empty"

	short() string // "remove 10.0.3.13:443"
	begin(now time.Time)
	next(now time.Time, seen sight) move
	applied(now time.Time) (end string) // the word it ends with, or ""
	progress(now time.Time) string
}

// sight is a job's server in a sample taken after the job's last change.
type sight struct {
	at     time.Time
	server *ops.Server // nil: it is not there any more
}

func sightOf(s *ops.Sample, k Key) sight {
	_, server := find(s, k)
	return sight{s.Time, server}
}

// move is what a job wants done now: nothing, a plan, or to stop with a word.
type move struct {
	plan plan.Plan
	stop string
}

// disturbed is why a job has nothing more to do with a server, or "". A job
// never argues with whoever else changes the table.
func disturbed(row plan.Row, s *ops.Server) string {
	switch {
	case s == nil:
		return goneByOthers
	case s.Weight != row.Server.Weight:
		return "somebody gave it weight " + number(s.Weight)
	case s.Forward != row.Server.Forward:
		return "somebody changed its forwarding to " + s.Forward.String()
	}
	return ""
}

const goneByOthers = "somebody removed it"

// byOthers is the same from what a step found.
func byOthers(m *plan.Moved) string {
	if m.Gone {
		return goneByOthers
	}
	var parts []string
	for _, d := range m.Differences {
		parts = append(parts, d.Field+" from "+d.Was+" to "+d.Is)
	}
	return "somebody changed its " + strings.Join(parts, ", ")
}

func rowName(r plan.Row) string { return ipvs.ServerTarget(r.Service, r.Server) }

func keyOf(r plan.Row) Key { return Key{r.Service, r.Server.Addr} }
