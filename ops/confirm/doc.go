// Package confirm takes a change back unless somebody confirms it in time: a
// mistake that cuts the way to the director then costs two minutes.
//
// Before the first step of a plan, a timer is started that nothing the plan does
// can take along: a transient unit of systemd, or else a process of our own in
// its own session. It lives in another process than the plan, so that a hang-up,
// a kill -9 or a stalled terminal of the one is what the other is there for. The
// deadline is one of CLOCK_BOOTTIME, which nobody sets.
//
// The file "changes.json" in the store says what is pending and what was taken
// back and is not seen yet. The lock of plans is the only one that matters: what
// becomes of a change is decided by whoever holds it, and by the journal.
//
// Out of scope: drawing the countdown, and what a plan does. A change to the
// host that outlives a restart (files) must not be part of a plan under the
// timer: after a restart what was pending counts as gone.
package confirm
