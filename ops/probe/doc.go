// Package probe proves from the director, with packets on the wire and without
// an agent, that real servers are set up for their service: that the VIP is
// there under DR and TUN, that a NAT server's way back leads through the
// director, that nobody else answers for the VIP.
//
// A Prober sends a few packets as its host's own and looks at what comes back,
// by packet sockets: answers that have the VIP as source never get to other
// sockets, as the host has that address itself. IPVS does not see what is sent,
// so its counters and connections stay as they are. Nothing on the host is
// changed. Packets for the VIP go with TTL 1: a server that lacks the VIP and
// forwards then says so, instead of sending the packet back to the director.
//
// A server gets one SYN, and more only where the answer to the first leaves the
// cause open; each is taken back with an RST, answered or not. UDP and SCTP are not
// spoken: only pings tell something, and what they do not tell is said.
//
// Three layers: wire is bytes; this package's judge files decide from facts,
// without a kernel; the rest gets the facts.
//
// Out of scope: the director's own settings (packages netcfg and the checks do
// those), capturing traffic, and asking a UDP service something.
package probe
