package plan

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

// random makes rules over a few addresses, so that two of them share rows. One
// seed gives one series.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, seed))} }

func pick[T any](r random, from ...T) T { return from[r.IntN(len(from))] }

func (r random) rules(services, servers int) ipvs.Rules {
	var rules ipvs.Rules
	daemons := r.IntN(3) == 0
	for n := range services {
		if r.IntN(4) == 0 {
			continue
		}
		s := ipvs.ServiceRules{Service: r.service(n)}
		for m := range servers {
			if r.IntN(3) > 0 {
				s.Servers = append(s.Servers, r.server(s.Family, m, !daemons))
			}
		}
		rules.Services = append(rules.Services, s)
	}
	rules.Timeouts = &ipvs.Timeouts{TCP: pick(r, uint32(900), 800), TCPFin: pick(r, uint32(120), 60), UDP: 300}
	if daemons {
		for _, role := range []ipvs.DaemonRole{ipvs.Master, ipvs.Backup} {
			if r.IntN(2) == 0 {
				rules.Daemons = append(rules.Daemons, ipvs.Daemon{
					Role: role, Interface: "lo", SyncID: uint8(r.IntN(2)), MaxLen: 1400, Port: 9000,
				})
			}
		}
	}
	return rules
}

// service gives the nth identity random settings.
func (r random) service(n int) ipvs.Service {
	id := ipvs.AddressService(pickNth(n, ipvs.TCP, ipvs.UDP, ipvs.SCTP), netip.AddrPortFrom(vip(n), uint16(443+n)))
	if n%5 == 4 {
		id = ipvs.MarkService(uint32(n), ipvs.FamilyOf(vip(n)))
	}
	s := ipvs.NewService(id)
	s.Scheduler = pick(r, "rr", "wlc", "sh")
	s.SchedFlags = ipvs.SchedFlags(r.IntN(4))
	if r.IntN(2) == 0 {
		s.Persistence.On, s.Persistence.Timeout = true, uint32(300+r.IntN(2))
	}
	return s
}

func vip(n int) netip.Addr {
	if n%3 == 2 {
		return netip.MustParseAddr("2001:db8::a00").Next()
	}
	return netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + n)})
}

func pickNth[T any](n int, from ...T) T { return from[n%len(from)] }

// server gives the mth address random settings.
func (r random) server(f ipvs.Family, m int, mayMix bool) ipvs.Server {
	s := ipvs.Server{Forward: pick(r, ipvs.Masq, ipvs.Direct), Weight: pick(r, uint32(0), 1, 100, 70000)}
	addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + m)})
	if f == ipvs.IPv6 {
		addr = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(1 + m)})
	}
	if mayMix && m == 0 {
		addr = netip.MustParseAddr("2001:db8:9::1")
		if f == ipvs.IPv6 {
			addr = netip.MustParseAddr("10.9.9.9")
		}
	}
	if m == 0 && mayMix || r.IntN(3) == 0 {
		s.Forward = ipvs.TunnelFwd
		s.Tunnel = pick(r, ipvs.Tunnel{}, ipvs.Tunnel{Type: ipvs.GUE, Port: 6080}, ipvs.Tunnel{Type: ipvs.GRE, Flags: 1})
	}
	s.Addr = netip.AddrPortFrom(addr, 80)
	if r.IntN(3) == 0 {
		s.Upper, s.Lower = 100, uint32(r.IntN(100))
	}
	return s
}

// named is a plan for a table.
type named struct {
	Plan
	running, wanted ipvs.Rules
}

// allPlans are plans of every kind, each with the table it is for and the table
// it makes.
func allPlans(t testing.TB) []named {
	t.Helper()
	b, running := site(t)
	svc := running.Services[0]
	r := newRandom(7)
	from, to := r.rules(6, 4), r.rules(6, 4)
	from.Daemons = []ipvs.Daemon{{Role: ipvs.Master, Interface: "lo"}, {Role: ipvs.Backup, Interface: "eth0"}}
	for i := range from.Services {
		for j, s := range from.Services[i].Servers {
			if s.Family() != from.Services[i].Family {
				from.Services[i].Servers = append(from.Services[i].Servers[:j:j], from.Services[i].Servers[j+1:]...)
				break
			}
		}
	}
	other := ipvs.ServiceRules{Service: ipvs.NewService(ipvs.MarkService(7, ipvs.IPv4)), Servers: svc.Servers}
	edited := svc.Service
	edited.Scheduler = "rr"
	edit, err := EditService(svc.Service, edited)
	b.ok(err)
	many := []named{
		{Plan: Drain(rows(running)), running: running},
		{Plan: AddWeight(rows(running), -60), running: running},
		{Plan: RemoveServers(rows(running)), running: running},
		{Plan: AddService(other), running: running},
		{Plan: edit, running: running},
		{Plan: RemoveServices(running.Services), running: running},
		{Plan: Flush(running), running: running},
		{Plan: SetTimeouts(*running.Timeouts, ipvs.Timeouts{TCP: 60, UDP: 30}), running: running},
		{Plan: StartDaemon(from.Daemons, ipvs.Daemon{Role: ipvs.Master, Interface: "eth0"}), running: from},
		{Plan: Restore(from, to, false), running: from},
		{Plan: ramp(rows(running)[0]), running: running},
		{Plan: back(RemoveServices(running.Services)), running: ipvs.Rules{Timeouts: running.Timeouts}},
		{Plan: back(Flush(running)), running: ipvs.Rules{Timeouts: running.Timeouts}},
		{Plan: back(Flush(to)), running: ipvs.Rules{Timeouts: running.Timeouts}},
	}
	for i := range many {
		b := newBench(t, memory.New())
		b.fill(many[i].running)
		b.run(many[i].Plan)
		many[i].wanted = b.rules()
	}
	return many
}

// ramp changes one row several times, and once back to where it was.
func ramp(r Row) Plan {
	p := Plan{Title: "ramp"}
	for _, w := range []uint32{0, 10, 20, 10, 30} {
		step := SetWeight([]Row{r}, w)
		p.Items = append(p.Items, step.Items...)
		r.Server.Weight = w
	}
	return p
}

// back is a plan's steps, undone.
func back(p Plan) Plan {
	r := Plan{Title: "back: " + p.Title}
	for _, i := range p.Items {
		r.Items = append([]Item{{Step: i.Step.Undo(), Reason: "test"}}, r.Items...)
	}
	return r
}
