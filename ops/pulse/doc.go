// Package pulse says what is unusual on a director right now, the worst first:
// rates and connections against their own recent past, what the checks have
// found in the traffic, and the shares of a reading of connections.
//
// A row's past is its Trend, so that a Watch knows it from the first sample on.
// What is unusual is held against what was usual when it began, until it ends, and
// what follows it, too: else an incident would be its own measure after some
// minutes, and its end a fault. Before the past is known as a whole, usual moves on instead.
// What rises no higher and no longer than before comes by the clock, and is not
// told. The floors keep small numbers quiet.
//
// Out of scope: thresholds that the operator sets, and causes.
package pulse
