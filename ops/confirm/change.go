package confirm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// The time in which a change must be confirmed.
const (
	MinWindow     = 10 * time.Second // to read a screen on a bad link, and to type
	DefaultWindow = 2 * time.Minute  // for ARP caches and spanning trees, and a new login
	MaxWindow     = time.Hour
)

// CheckWindow refuses a time in which nobody can confirm, or nobody would wait.
func CheckWindow(d time.Duration) error {
	if d < MinWindow || d > MaxWindow {
		return fmt.Errorf("time to confirm %s: must be 10s to 60m", d)
	}
	return nil
}

// Change is a plan that waits to be confirmed, or that was taken back.
type Change struct {
	ID      string        `json:"id"` // the plan's, in the journal
	Title   string        `json:"title"`
	By      persist.Who   `json:"by"`
	Since   time.Time     `json:"since"`
	Window  time.Duration `json:"window"`
	At      time.Duration `json:"at"`      // the deadline, on CLOCK_BOOTTIME
	Boot    string        `json:"boot"`    // of which this boot
	Network string        `json:"network"` // the namespace it was made in
	Applier Process       `json:"applier"` // who runs the plan
	Timer   Timer         `json:"timer"`

	Reverted *Reverted `json:"reverted,omitempty"` // nil: it waits
}

// Reverted is how a change was taken back.
type Reverted struct {
	When     time.Time    `json:"when"`
	Why      string       `json:"why"`
	Outcome  plan.Outcome `json:"outcome"`            // WentBack, WentHalfBack or Restarted
	Failures []string     `json:"failures,omitempty"` // the steps that are not as before, and why
	Seen     bool         `json:"seen,omitempty"`
}

// Restarted is the outcome of a change that was pending when the host went down.
const Restarted plan.Outcome = "gone with a restart"

// Timer is how to find again what will take a change back.
type Timer struct {
	Unit    string   `json:"unit,omitempty"` // of systemd, without .service
	Process *Process `json:"process,omitempty"`
}

// String names a change: what and whose.
func (c Change) String() string { return fmt.Sprintf("%q of %s", c.Title, c.By) }

// Story tells in a sentence what became of a change that was taken back.
func (c Change) Story() string {
	r := c.Reverted
	if r == nil {
		return c.String() + " waits to be confirmed"
	}
	if r.Outcome == Restarted {
		return "this host was restarted before " + c.String() + " was confirmed: what it had changed is gone"
	}
	story := fmt.Sprintf("%s was taken back at %s: %s", c, r.When.Format(time.DateTime), r.Why)
	if len(r.Failures) > 0 {
		story += "; not all of it: " + strings.Join(r.Failures, "; ")
	}
	return story
}

// State is what an operator must know, at each look.
type State struct {
	Pending *Change       // nil: nothing
	Left    time.Duration // until it is taken back; 0: that is happening

	// Lost: the timer is gone, and nobody will take the change back by itself.
	Lost bool

	Past []Change // taken back and not seen yet, oldest first
}

// Pending refuses a change while another one waits to be confirmed.
type Pending struct {
	Change
	Left time.Duration
	Lost bool
}

func (p *Pending) Error() string {
	end := "is being taken back now"
	switch {
	case p.Lost:
		end = "has lost its timer"
	case p.Left > 0:
		end = "will be taken back in " + seconds(p.Left)
	}
	return fmt.Sprintf("%s waits since %s to be confirmed, and %s: lvsdeck confirm keeps it, lvsdeck revert takes it back",
		p.Change, p.Since.Format(time.TimeOnly), end)
}

// NotArmed says that no timer could be started. Nothing was changed.
type NotArmed struct{ Err error }

func (e *NotArmed) Error() string {
	return fmt.Sprintf("nothing was changed: what would take the change back cannot be started: %v", e.Err)
}

// Unwrap lets errors.Is find the reason.
func (e *NotArmed) Unwrap() error { return e.Err }

// Nothing says that no change is pending.
type Nothing struct {
	Last *Change // the last that was taken back, if known
}

func (e *Nothing) Error() string {
	if e.Last == nil {
		return "no change waits to be confirmed"
	}
	return "no change waits to be confirmed: " + e.Last.Story()
}

// seconds rounds up: while there is something left it is not 0.
func seconds(d time.Duration) string { return fmt.Sprintf("%d s", int(math.Ceil(d.Seconds()))) }

// judged is a change as it stands in this boot.
func (g *Guard) judged(c Change) Change {
	if c.Reverted == nil && c.Boot != g.boot {
		c.Reverted = &Reverted{When: c.Since, Outcome: Restarted}
	}
	return c
}

// sort parts the changes of the file: the one that is pending, or nil, and those
// that are past, oldest first.
func (g *Guard) sort(all map[string]Change) (pending *Change, past []Change) {
	for _, c := range all {
		if c = g.judged(c); c.Reverted == nil {
			pending = &c
		} else {
			past = append(past, c)
		}
	}
	slices.SortFunc(past, func(a, b Change) int {
		return cmp.Or(a.Reverted.When.Compare(b.Reverted.When), cmp.Compare(a.ID, b.ID))
	})
	return pending, past
}

// waits tells how long a pending change still waits, and whether its timer is
// gone: it died, or it should have been at it long since.
func (g *Guard) waits(c *Change) (left time.Duration, lost bool) {
	left = c.At - g.clock.now()
	lost = left < -overdue || c.Timer.Process != nil && !c.Timer.Process.alive()
	return max(0, left), lost
}

// overdue is how long after the deadline a timer may be at it before it counts
// as gone.
const overdue = time.Minute

// Look reads the state. It costs one small file.
func (g *Guard) Look() (s State, err error) {
	all, err := g.changes.Get()
	if err != nil {
		return s, err
	}
	s.Pending, s.Past = g.sort(all)
	s.Past = slices.DeleteFunc(s.Past, func(c Change) bool { return c.Reverted.Seen })
	if s.Pending != nil {
		s.Left, s.Lost = g.waits(s.Pending)
	}
	return s, nil
}

// Seen says that an operator has seen what was taken back.
func (g *Guard) Seen() error {
	return g.changes.Update(func(all map[string]Change) {
		for id, c := range all {
			if c = g.judged(c); c.Reverted != nil {
				c.Reverted.Seen = true
				all[id] = c
			}
		}
	})
}

// pending is the change that waits, or *Nothing.
func (g *Guard) pending() (*Change, error) {
	all, err := g.changes.Get()
	if err != nil {
		return nil, err
	}
	c, past := g.sort(all)
	switch {
	case c != nil:
		return c, nil
	case len(past) > 0:
		return nil, &Nothing{&past[len(past)-1]}
	}
	return nil, &Nothing{}
}

// drop forgets a change and stops its timer. A timer that cannot be stopped finds
// nothing to do.
func (g *Guard) drop(c *Change) error {
	err := g.changes.Update(func(all map[string]Change) { delete(all, c.ID) })
	if err == nil {
		c.Timer.stop()
	}
	return err
}
