// Package vm runs one program in a real Linux kernel: a virtual machine that is
// made from Debian packages without installing them, boots from an archive in
// memory in a few seconds, and is gone when the program has ended.
//
// Everything runs under plain emulation, because that works everywhere; KVM is
// asked for by hand (Machine.KVM). Nothing here needs root, and nothing is left
// behind but a cache of packages.
//
// Out of scope: what happens inside (package guest), and networks: the machine
// has no network card. Namespaces inside it are the network (package lab).
package vm
