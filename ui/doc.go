// Package ui is what the operator sees: one Bubble Tea model, the screen's four
// lines of frame around it, and the one table of commands from which keys, help,
// palette and the written list of keys all come.
//
// Nothing here does I/O but the terminal's own: samples come from a Source, and
// reading, timers and changes run outside, because Bubble Tea's loop stands
// still while the terminal does.
package ui
