// Package conns answers who is connected: it reads the kernel's table of
// connections as a stream, picks some, and counts them by client, network,
// service, server, state or origin, or lists them a page at a time.
//
// Memory is bounded by the groups, not by the connections: 64 to 80 bytes each,
// up to 110 MB for 1.5 million clients (MostGroups), and as much again for their
// networks. Beyond that, groups met before go on being counted, exactly, and the
// rest is counted together. Since the kernel lists connections in the order of a
// hash of client address and port, a client with many connections is met long
// before; and what was read before a reading was ended is a fair sample.
//
// Out of scope: ending connections, which the kernel has no call for, and the
// connections over time.
package conns
