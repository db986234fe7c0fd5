package conns

import (
	"fmt"
	"slices"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// State is a state as the kernel names it, of a protocol; of templates, those of
// all protocols are one.
type State struct {
	Protocol ipvs.Protocol
	Name     string
	Template bool
}

func (s State) String() string {
	if s.Template {
		return "template " + s.Name
	}
	if s.Name == s.Protocol.String() { // of UDP, which has one
		return s.Name
	}
	return s.Protocol.String() + " " + s.Name
}

// about is what is known of a state.
type about struct {
	timeout uint32 // seconds without a packet until the connection is forgotten; 0: not known
	is      string
}

// The kernel's tables of timeouts, net/netfilter/ipvs/ip_vs_proto_tcp.c, _udp.c
// and _sctp.c. Three can be set: see Timeout.
var (
	tcpStates = map[string]about{
		"NONE":        {2, "no packet has decided its state yet"},
		"ESTABLISHED": {900, "the handshake is done"},
		"SYN_SENT":    {120, "the server itself opens a connection out through the director"},
		"SYN_RECV":    {60, "the handshake is not finished: many of these are a flood, or a server or way back that does not answer"},
		"FIN_WAIT":    {120, "one side has closed; under DR and TUN the director sees no more, and all that are closed wait here"},
		"TIME_WAIT":   {120, "both sides have closed; kept for packets that come late"},
		"CLOSE":       {10, "reset by one side"},
		"CLOSE_WAIT":  {60, "one side has closed and waits for the other"},
		"LAST_ACK":    {30, "both sides have closed, the last ACK is awaited"},
		"LISTEN":      {120, "a data connection that FTP has announced, not yet opened"},
		"SYNACK":      {120, "the server has answered the SYN, the client not yet"},
	}
	udpStates = map[string]about{
		"UDP": {300, "UDP has no end: a client's port keeps its server until it is silent"},
	}
	sctpStates = map[string]about{
		"ESTABLISHED": {900, "the association stands"},
		"CLOSED":      {0, "the association has ended"},
		"REJECTED":    {0, "the server refused the association"},
	}
	templates = map[string]about{
		"NONE":    {0, "holds the client to its server; no connection under it has finished its handshake yet"},
		"ASSURED": {0, "holds the client to its server; drop_entry leaves it alone"},
	}
)

// stateNames are all that the kernel has: of TCP, UDP, SCTP, of templates, and for what
// has no states.
var stateNames = []string{
	"ESTABLISHED", "SYN_SENT", "SYN_RECV", "SYNACK", "FIN_WAIT", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "UDP",
	"INIT1", "INIT", "C-SENT", "C-REPLIED", "C-WAIT", "COOKIE", "C-ECHOED", "S-SENT", "S-RECEIVED", "S-ACK-SENT", "REJECTED", "CLOSED",
	"ASSURED", "NONE", "ERR!", "BUG!",
}

// ParseState reads a state's name, in capitals or not.
func ParseState(s string) (string, error) {
	if name := strings.ToUpper(s); slices.Contains(stateNames, name) {
		return name, nil
	}
	return "", fmt.Errorf("state %q: the kernel has no such state; choose one of: %s", s, strings.Join(stateNames, ", "))
}

// sctpOther is said of the steps between: INIT1, COOKIE, S-SENT, …
const sctpOther = "a step of SCTP's handshake or farewell"

// About says what a state means, or "".
func (s State) About() string {
	known := s.table()[s.Name]
	if known.is == "" && s.Protocol == ipvs.SCTP && !s.Template {
		return sctpOther
	}
	return known.is
}

// Timeout is how many seconds a connection in the state lives without packets,
// given what can be set; 0 when that is not known. A synchronised connection may
// live shorter, and one under attack (secure_tcp), too.
func (s State) Timeout(set ipvs.Timeouts) uint32 {
	switch {
	case s.Template:
		return 0 // the service's own
	case s.Protocol == ipvs.TCP && s.Name == "ESTABLISHED" && set.TCP != 0:
		return set.TCP
	case s.Protocol == ipvs.TCP && s.Name == "FIN_WAIT" && set.TCPFin != 0:
		return set.TCPFin
	case s.Protocol == ipvs.UDP && set.UDP != 0:
		return set.UDP
	}
	return s.table()[s.Name].timeout
}

func (s State) table() map[string]about {
	switch {
	case s.Template:
		return templates
	case s.Protocol == ipvs.TCP:
		return tcpStates
	case s.Protocol == ipvs.UDP:
		return udpStates
	case s.Protocol == ipvs.SCTP:
		return sctpStates
	}
	return nil
}

// open and halfOpen sort the states of TCP and SCTP.
func (s State) open() bool { return !s.Template && s.Name == "ESTABLISHED" }

func (s State) halfOpen() bool {
	if s.Template {
		return false
	}
	switch s.Name {
	case "SYN_SENT", "SYN_RECV", "SYNACK", // TCP
		"INIT", "INIT1", "C-SENT", "C-REPLIED", "C-WAIT", "COOKIE", "C-ECHOED": // SCTP
		return true
	}
	return false
}

// StateOf is the state of a connection.
func StateOf(c *proc.Conn) State {
	if c.Template() {
		return State{Name: c.State.String(), Template: true}
	}
	return State{Protocol: c.Protocol, Name: c.State.String()}
}
