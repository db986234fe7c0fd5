// Package services is the home screen: the table as a tree of services and
// their real servers.
//
// List is the state (what is shown, in which order, where the cursor is) and
// knows nothing of drawing; View draws the rows that fit and formats nothing
// else. A row is known by its identity, never by its place: samples come and
// go under it, and cursor and marks stay where they were put.
//
// Out of scope: keys, the lines around the table, and changing anything.
package services
