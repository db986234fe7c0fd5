package setup

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
)

// refuse says what of the wish this director and its surroundings do not allow.
func refuse(w Wish, f Found) error {
	var r refusing
	r.place(w, f)
	r.ways(w, f)
	r.table(w, f)
	r.translation(w, f)
	if len(r) == 0 {
		return nil
	}
	return Refusals(r)
}

// lastOf is the last address of an IPv4 network.
func lastOf(n netip.Prefix) netip.Addr {
	b := n.Addr().As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])|(1<<(32-n.Bits())-1))
	return netip.AddrFrom4(b)
}

// place is about the VIP and its link.
func (r *refusing) place(w Wish, f Found) {
	vip := w.Service.Addr
	l, known := f.link(f.Link)
	switch {
	case f.Link == "":
		r.add(true, FieldInterface, "", "must be named: no network of this director holds the VIP, and there is no default route", "name one of "+f.linkNames())
	case !known:
		r.add(true, FieldInterface, f.Link, "must be there", "name one of "+f.linkNames())
	case !l.Up:
		r.add(true, FieldInterface, f.Link, "must be switched on", "ip link set "+f.Link+" up")
	case l.Master != "":
		r.add(true, FieldInterface, f.Link, "must not be a part of another: packets arrive on "+l.Master, "name "+l.Master)
	}
	r.add(f.Free.Verdict == probe.Fault, FieldVIP, vip, fmt.Sprintf("must be free on %s: %s", f.Link, f.Free.Short), "take it away there, or choose another address")
	n := f.network(vip).Prefix
	r.add(n.IsValid() && vip.Is4() && n.Bits() < 31 && vip == lastOf(n), FieldVIP, vip, fmt.Sprintf("must be one host's: it is the broadcast address of %v", n.Masked()), "")
	r.add(f.Bound != nil && f.Link != f.Bound.Link, FieldInterface, f.Link, fmt.Sprintf("must be %s, which has the VIP already", boundLink(f)), "")
	if s := f.Session; s != nil {
		r.add(w.Service.Protocol == ipvs.TCP && s.Server == netip.AddrPortFrom(vip, w.Service.Port), FieldVIP, s.Server,
			"must not be where this SSH session comes in: the next one would reach a real server", "choose another port or address")
	}
}

func boundLink(f Found) string {
	if f.Bound == nil {
		return ""
	}
	return f.Bound.Link
}

func (f Found) linkNames() string {
	var names []string
	for _, l := range f.Links {
		if l.Up && !l.Loopback && l.Master == "" {
			names = append(names, l.Name)
		}
	}
	return strings.Join(names, ", ")
}

// ways is about how the servers are reached.
func (r *refusing) ways(w Wish, f Found) {
	for _, s := range f.Servers {
		switch p := s.Path; {
		case s.Unreachable != "":
			r.add(true, check.Server, s.Addr, "must be reached from this director: "+s.Unreachable, "give the director an address in its network, or a route")
		case p.Local:
			r.add(true, check.Server, s.Addr, "must be another host: it is this director's own address", "")
		case s.Silent:
			r.add(true, check.Server, s.Addr, "must be there: nobody answers for it on "+p.Link, "switch it on, or look at its address and cable")
		case p.OnLink():
		case w.Mode == DR:
			r.add(true, check.Server, s.Addr, fmt.Sprintf("must be on a network of this director for DR: it is behind %v", p.Via), "use TUN or full NAT")
		case w.Mode == NAT && p.Via == f.Out.Via:
			r.add(true, check.Server, s.Addr, fmt.Sprintf("must send its answers through this director for NAT: it is behind %v, which sends them straight to the clients", p.Via), "use full NAT or TUN")
		}
		r.add(!w.Mode.translates() && s.Path.Source == w.Service.Addr, check.Server, s.Addr,
			"must be spoken to with another address than the VIP, which it has itself", "give the director an address of its own on "+s.Path.Link)
	}
}

// table is about what is there already.
func (r *refusing) table(w Wish, f Found) {
	want := w.rules()
	r.add(f.Modules.Scheduler(want.Scheduler) == netcfg.Missing, check.Scheduler, want.Scheduler,
		"must be in this kernel: it has no module "+schedulerModule(want.Scheduler), "choose another, such as wlc or rr")
	for _, s := range want.Servers {
		for _, p := range check.OfServer(w.Service, s, len(f.Table.Daemons) > 0) {
			r.add(true, p.Field, p.Value, p.Rule, "stop the sync daemon, or use one family") // the rest was checked with the wish
		}
	}
	now := f.service(w.Service)
	if now == nil {
		return
	}
	if now.Service != want.Service {
		edit := plan.ChangeService{Before: &now.Service, After: &want.Service}
		r.add(true, check.Service, w.Service, "is there with other settings; it would take to "+edit.String(), "do that in the console, or unset or remove it first")
	}
	for _, s := range want.Servers {
		if i := slices.IndexFunc(now.Servers, sameAddr(s)); i >= 0 && now.Servers[i] != s {
			edit := plan.ChangeServer{Service: w.Service, Before: &now.Servers[i], After: &s}
			r.add(true, check.Server, s.Addr, "is there with other settings; it would take to "+edit.String(), "do that in the console, or remove it first")
		}
	}
}

func sameAddr(s ipvs.Server) func(ipvs.Server) bool {
	return func(o ipvs.Server) bool { return o.Addr == s.Addr }
}

func (f *Found) service(id ipvs.ServiceID) *ipvs.ServiceRules {
	for i := range f.Table.Services {
		if f.Table.Services[i].ServiceID == id {
			return &f.Table.Services[i]
		}
	}
	return nil
}

// translation is about the addresses that packets get.
func (r *refusing) translation(w Wish, f Found) {
	r.add(w.SNAT.IsValid() && f.Out.Link == "", FieldSNAT, w.SNAT, "needs a way to the world: this director has no default route", "")
	if w.Sources.IsZero() {
		return
	}
	n := 0
	for a := w.Sources.First; a.IsValid() && !w.Sources.Last.Less(a) && n <= maxSources; a = a.Next() {
		n++
		mine := slices.ContainsFunc(f.Addresses, func(l netcfg.LinkAddress) bool { return l.Prefix.Addr() == a })
		r.add(!mine, FieldSources, a, "must be an address of this director, else answers do not come back to it", "add it to the servers' link first")
	}
	r.add(n > maxSources, FieldSources, w.Sources, fmt.Sprintf("must be at most %d addresses", maxSources), "")
}

// maxSources is more than any director has; it keeps the list of refusals short.
const maxSources = 256
