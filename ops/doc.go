// Package ops is what the operator does: today, watch. A Sampler reads a table
// at an interval and hands over immutable Samples, latest wins, independent of
// any screen: a stalled terminal never slows the truth.
//
// Out of scope: drawing, key handling, and how the table is reached.
package ops
