// Package wire makes and reads the packets of the probes: TCP segments without
// data, ICMP echoes and errors, tunnels as IPVS makes them, ARP and neighbour
// discovery, for IPv4 and IPv6 alike. It is bytes only.
//
// Numbers are those of RFC 791 (IPv4), 792 (ICMP), 826 (ARP), 2784 (GRE), 4443
// (ICMPv6), 4861 (neighbour discovery), 8200 (IPv6), 9293 (TCP) and the draft
// ietf-intarea-gue (GUE).
//
// Out of scope: Ethernet headers, which the kernel makes and reads, fragments,
// data of any kind, and checksums of what is read: whoever damages a packet is
// not looked for.
package wire
