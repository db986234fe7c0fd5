// Package report makes of what is known of a span of time what one writes after an
// incident: what changed, who is affected, who causes it, as far as figures say, with
// the time line, the rows that moved most, and what is found.
//
// Make is pure (Recorded reads what it needs of a recording): it takes a history, the incident log, findings and, where somebody
// read them, connections, and says what of these it had not.
//
// Out of scope: how it is written (ui/plain), and figures of its own.
package report
