// Package alarm watches figures for the operators: a Threshold says of a row which
// figure should not go above or below what, a Judge looks at each sample and tells
// when that begins and ends. It is pure but for the file the thresholds are in.
//
// A figure that is not known in a sample says nothing: it neither crosses a
// threshold nor ends that.
//
// Out of scope: what is done about it (package incident writes it down, the screen
// shows it), and figures that are not in a sample.
package alarm
