// Package history remembers the figures of every row of a table over minutes and
// hours, in less detail the longer ago, and what was changed meanwhile.
//
// A Store is fed with samples, and takes its time from them, so that a recording
// fills it as well as a live table:
//
//	sampler.Each(store.Add)
//	series := store.Series(key, history.Conns, from, to, columns)
//
// Each reading is one frame of figures, a column for every row. Frames of a few
// seconds become one of ten, and those one of a minute, with their mean and, for
// services, the largest figure. So memory depends on the number of rows and the
// bound, and what is dropped first is the same for all rows: the oldest. Rows that
// left the table keep their column for an hour.
//
// Out of scope: what is unusual (package pulse), drawing, and files.
package history
