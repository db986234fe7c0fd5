// Package guest is the inside of the lab's machine: the program that the kernel
// starts first. It mounts what a program expects, loads modules, runs one job,
// says how it ended and switches the machine off.
//
// The host talks to it over three serial lines, so that nothing has to be told
// apart by looking at text: the kernel's messages, the job's own output (or a
// person's terminal), and notes between host and guest.
//
// It uses neither net nor os/user, so that the binary it is part of is static
// however it is built: there is no C library where it starts.
//
// Out of scope: networks and namespaces (package lab), and everything on the
// host (package vm).
package guest
