// Package incident writes down what happened: thresholds that were crossed and no
// longer are, findings of checks that came and went, and what operators noted.
//
// The log is lines of JSON in the store, of bounded size. What it says is held to be
// anybody's: lines that make no sense are passed over and counted, and whoever shows
// a text cleans it.
//
// Several consoles may watch one director. What one has written down the others do
// not write again: of each thing the log says in turn that it began and that it
// ended.
//
// Out of scope: thresholds themselves (package alarm), checks (package check), and
// what was changed (the journal has that).
package incident
