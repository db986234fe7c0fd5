// Package tabletest holds the contract of ipvs.Table: one suite that every
// implementation passes, so that what is tried on the one in memory holds on
// the kernel. What the suite asserts was seen on a real kernel, not read.
//
// Out of scope: counters that need traffic, and the time they take to move.
package tabletest
