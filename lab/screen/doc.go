// Package screen runs a program in a pseudo-terminal and keeps what a person
// would see there: it is the terminal of tests and of the maker of pictures.
//
// Nobody sleeps here: WaitFor looks again whenever the program has written. The
// terminal announces synchronized output, so a program that asks is only ever
// seen in whole frames.
//
// Out of scope: everything that programs on an alternate screen do not use
// (scrollback, tab stops of their own, character sets, graphics, mouse reports).
// Sequences the emulator does not know are kept in Unknown, not guessed at.
package screen
