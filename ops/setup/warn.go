package setup

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
)

// warnings are what an operator should know before: what may go wrong, and what
// the mode costs.
func warnings(w Wish, f Found) []string {
	var all []string
	warn := func(when bool, format string, args ...any) {
		if when {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	if o := f.Owner; o != nil {
		warn(true, "%s (pid %d) manages this table. %s", o.Name, o.PID, o.Will)
	}
	vip := w.Service.Addr
	warn(f.Free.Cause == "" && f.Bound == nil, "Nobody was asked whether another host has %v.", vip)
	warn(f.Free.Cause != "" && f.Free.Verdict == probe.Unknown, "Whether another host has %v is not known: %s.", vip, f.Free.Short)
	warn(f.Bound == nil && f.network(vip).Link != f.Link,
		"No network of %s holds %v: the router before the director must send it here.", f.Link, vip)
	far := f.behindRouters()
	switch w.Mode {
	case NAT:
		warn(len(far) > 0, "%s behind a router: answers must pass this director on their way back, which every router between must see to.", isAre(far))
		warn(f.shared(w), "The VIP is in the servers' network: clients in that network get answers past the director, which they drop; full NAT serves them, too.")
		warn(w.SNAT.IsValid() && f.sysctl(conntrack) == "1", "net.ipv4.vs.conntrack is 1: any rule that masquerades more than what servers start hides the clients, too.")
	case FullNAT:
		warn(true, "Servers no longer see who their clients are: their logs have the director's address.")
		warn(true, "Each source address carries about 64,000 connections at a time to each server; there %s.", isAreMany(w.Sources))
		warn(f.sysctl(conntrack) != "1" && f.untracked(w.Service) > 0,
			"net.ipv4.vs.conntrack=1 is for the whole table: of DR and TUN services, which are here, firewall rules that drop INVALID packets cut off connections.")
	case DR, TUN:
		warn(f.sysctl(conntrack) == "1",
			"net.ipv4.vs.conntrack is 1: firewall rules that drop INVALID packets cut off connections, since answers do not pass the director.")
	}
	if w.Mode == TUN {
		warn(true, "Packets grow by %d bytes on their way to the servers: each server must offer a smaller MSS, or large requests hang.", overhead(w, f))
	}
	all = append(all, f.firewallWarnings(w)...)
	for _, s := range f.surplus(w) {
		warn(true, "%s is in the service already and stays there.", s.Addr)
	}
	return all
}

// behindRouters are the servers that are not on a network of ours.
func (f Found) behindRouters() (far []netip.Addr) {
	for _, s := range f.Servers {
		if !s.Path.OnLink() {
			far = append(far, s.Addr)
		}
	}
	return far
}

func isAre(addrs []netip.Addr) string {
	words := make([]string, len(addrs))
	for i, a := range addrs {
		words[i] = a.String()
	}
	if len(words) == 1 {
		return words[0] + " is"
	}
	return strings.Join(words, ", ") + " are"
}

func isAreMany(r Range) string {
	n := 1
	for a := r.First; a.IsValid() && a != r.Last; a = a.Next() {
		n++
	}
	if n == 1 {
		return "is 1"
	}
	return "are " + strconv.Itoa(n)
}

// shared tells that a server and the VIP are in one network.
func (f Found) shared(w Wish) bool {
	return slices.ContainsFunc(f.Servers, func(s FoundServer) bool {
		a := f.network(s.Addr)
		return a.Link != "" && a.Prefix.Contains(w.Service.Addr)
	})
}

// untracked counts the other services whose answers do not pass the director.
func (f Found) untracked(id ipvs.ServiceID) (n int) {
	for _, s := range f.Table.Services {
		if s.ServiceID != id && slices.ContainsFunc(s.Servers, func(r ipvs.Server) bool { return !r.Forward.CountsReplies() }) {
			n++
		}
	}
	return n
}

// overhead is what a tunnel adds: the outer header of the largest, and its own.
func overhead(w Wish, f Found) int {
	outer := 20
	for _, s := range f.Servers {
		if s.Addr.Is6() {
			outer = 40
		}
	}
	switch w.Tunnel.Type {
	case ipvs.GUE:
		return outer + 8 + 4
	case ipvs.GRE:
		return outer + 4
	}
	return outer
}

// surplus are servers of the service that nobody wished for.
func (f Found) surplus(w Wish) (more []ipvs.Server) {
	now := f.service(w.Service)
	if now == nil {
		return nil
	}
	want := w.rules()
	for _, s := range now.Servers {
		if !slices.ContainsFunc(want.Servers, sameAddr(s)) {
			more = append(more, s)
		}
	}
	return more
}

// touches warns of the steps of a plan that act on the path of an SSH session; ""
// when there are none.
func touches(p plan.Plan, s *Session) string {
	if s == nil || s.Link == "" {
		return ""
	}
	var which []string
	for i, item := range p.Items {
		if isOn(item.Step, s.Link) {
			which = append(which, strconv.Itoa(i+1))
		}
	}
	if len(which) == 0 {
		return ""
	}
	return fmt.Sprintf("This SSH session from %v comes in by %s, which is touched by %s: under the timer the change takes itself back should it cut you off.",
		s.Client, s.Link, count(which))
}

func count(which []string) string {
	if len(which) == 1 {
		return "step " + which[0]
	}
	return "steps " + strings.Join(which[:len(which)-1], ", ") + " and " + which[len(which)-1]
}

func isOn(s plan.Step, link string) bool {
	switch s := s.(type) {
	case plan.ChangeSysctl:
		return s.Before != s.After && (strings.Contains(s.Name, "/"+link+"/") || strings.Contains(s.Name, "/all/"))
	case plan.ChangeSetting[netcfg.Address]:
		return s.Setting.Link == link
	case plan.ChangeSetting[netcfg.Filter]:
		return s.Setting.Table == "filter" && s.Setting.Chain != "FORWARD"
	}
	return false
}
