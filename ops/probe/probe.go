package probe

import (
	"fmt"
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/ops/probe/wire"
)

// Target is a real server, for one service.
type Target struct {
	VIP      netip.AddrPort // port 0: only pings are sent
	Protocol ipvs.Protocol  // TCP is connected to, others are only pinged
	Server   ipvs.Server
	FullNAT  bool // of a NAT server: it sees the director's address as client
}

func (t Target) String() string {
	how := t.Server.Forward.String()
	if t.FullNAT {
		how = "full NAT"
	}
	return fmt.Sprintf("%s of %s %s (%s)", t.Server.Addr, t.Protocol, t.VIP, how)
}

// Verdict is what a probe comes to.
type Verdict uint8

// The verdicts.
const (
	Unknown Verdict = iota // it cannot be known; Short says why
	Fine
	Warning
	Fault
)

func (v Verdict) String() string { return [...]string{"unknown", "fine", "warning", "fault"}[v] }

// Cause is the one reason for a verdict, for programs.
type Cause string

// What can be found out about a server.
const (
	Answers Cause = "answers" // all is well, as far as it can be known

	// It could not be asked.
	NotProbed    Cause = "not probed"      // there is no such probe for it
	CannotSend   Cause = "cannot send"     // the kernel refuses
	NoRoute      Cause = "no route"        // to the server
	NoSource     Cause = "no source"       // no address of the director's is fit to ask from
	BehindRouter Cause = "behind router"   // where DR cannot get, and NAT's way back cannot be seen
	OuterIsVIP   Cause = "outer is VIP"    // the director would send tunnel packets from the VIP
	HopSilent    Cause = "hop silent"      // the server, or the gateway to it, has no MAC
	ShortPrefix  Cause = "short prefix"    // the server takes the director's address for its own
	ServerSilent Cause = "server silent"   // no answer to anything
	Unreachable  Cause = "unreachable"     // a router on the way says that it cannot get there
	Interrupted  Cause = "interrupted"     // before there was a verdict
	Unanswered   Cause = "ping unanswered" // the only thing that was asked

	// The service on the server.
	NothingListens Cause = "nothing listens"
	OtherAddress   Cause = "other address" // it listens on the server's own address only
	OtherPort      Cause = "other port"    // it listens on another port than the VIP's
	Dropped        Cause = "dropped"       // a firewall drops the service's packets
	Rejected       Cause = "rejected"      // a firewall rejects them

	// The VIP on the server.
	VIPMissing Cause = "VIP missing"
	VIPSilent  Cause = "VIP silent" // missing, or packets are dropped
	OneSource  Cause = "one source" // it answers neighbours, not clients beyond

	// The tunnel to the server.
	NoTunnel     Cause = "no tunnel"     // the server does not know the protocol
	TunnelDown   Cause = "tunnel down"   // no device, or no port, takes the packets
	TunnelSilent Cause = "tunnel silent" // nothing comes out of it
	TooBig       Cause = "too big"       // full packets do not fit, and senders are told
	BlackHole    Cause = "black hole"    // full packets vanish

	// The way back of a NAT server.
	OtherGateway Cause = "other gateway" // it leads through another router
	NoWayBack    Cause = "no way back"
)

// What can be found out about a VIP on its segment.
const (
	Alone       Cause = "alone"         // nobody else answers for it
	ServerHasIt Cause = "server has it" // the ARP problem
	HostHasIt   Cause = "host has it"   // a stray host, or another director
	Elsewhere   Cause = "elsewhere"     // it is not on this director, but on the segment
	Nowhere     Cause = "nowhere"       // nobody has it
	ProxyARP    Cause = "proxy ARP"     // somebody answers for every address
	NoSegment   Cause = "no segment"    // where it could be asked for
)

// Finding is a verdict with its reason.
type Finding struct {
	Verdict  Verdict
	Cause    Cause
	Short    string   // in a few words: "answers", "the VIP is missing or a firewall drops"
	Evidence []string // what was sent, and what came
	Next     []string // commands for the server that tell more, each with what to look for

	// Of a VIP: who else answers for it, and which servers are among them.
	MACs    []wire.MAC
	Servers []netip.Addr
}

// Result is what was found out about a server.
type Result struct {
	Target
	Finding
}
