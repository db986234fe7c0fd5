// Package plan changes things: a Step is one reversible act, a Plan is ordered
// steps with their reasons, a Runner runs plans, writes the journal ahead of
// them, and takes them back.
//
// Steps are plain data that carry the state before as well as after. So the
// reverse of a step is known before it is done and after a crash, whether it is
// done can be seen in the kernel at any time, and a step refuses when the row
// is no longer as the operator saw it. What follows from that: preview,
// rollback, undo an hour later, and finishing what a power cut interrupted.
//
// Builders (build.go, restore.go) are pure: from what was read to a Plan. They
// do not check input; the rules for that are elsewhere, and the kernel's word
// is the last. There is no compare-and-set in the kernel: between a step's look
// at its row and its change another program can still change it.
//
// Out of scope: what to do when (waiting for a drain, ramps), and the rules
// language.
package plan
