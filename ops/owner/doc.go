// Package owner finds out which other program manages this director's table, by
// the processes that run and a few well-known files.
//
// A program counts only when the table is its own: it runs in this network
// namespace, and it is set up to use IPVS. What cannot be found out counts
// against us: better a needless warning than a surprise.
//
// Out of scope: what to do about it.
package owner
