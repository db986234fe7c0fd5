package check

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
)

var (
	vip  = netip.MustParseAddr("203.0.113.10")
	http = ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(vip, 80))
	rip  = map[ipvs.Forward]string{ipvs.Masq: "10.0.3.", ipvs.Direct: "203.0.113.", ipvs.TunnelFwd: "192.0.2."}
)

// site is a director in memory.
type site struct {
	t       *testing.T
	host    *netcfg.Memory
	table   *memory.Table
	sampler *ops.Sampler
	from    Sources
}

func (s *site) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// healthy is a director of two servers, on which nothing is wrong.
func healthy(t *testing.T, mode ipvs.Forward) *site {
	s := &site{t: t, host: netcfg.New(), table: memory.New()}
	s.sampler = ops.NewSampler(s.table, ops.Options{})
	s.sampler.FocusAll()
	s.from = Sources{Host: s.host, Table: s.table}
	s.ok(s.host.Add(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)}))
	if mode == ipvs.Masq {
		s.ok(s.host.Set("net/ipv4/conf/eth1/forwarding", "1"))
	}
	s.ok(s.table.AddService(t.Context(), ipvs.NewService(http)))
	for n := range 2 {
		s.ok(s.table.AddServer(t.Context(), http, ipvs.Server{Addr: server(mode, n), Forward: mode, Weight: 1}))
	}
	return s
}

func server(mode ipvs.Forward, n int) netip.AddrPort {
	return netip.MustParseAddrPort(fmt.Sprintf("%s%d:80", rip[mode], 11+n))
}

// edit changes the service's servers.
func (s *site) edit(mode ipvs.Forward, change func(*ipvs.Server), which ...int) {
	s.t.Helper()
	for _, n := range which {
		r := ipvs.Server{Addr: server(mode, n), Forward: mode, Weight: 1}
		change(&r)
		s.ok(s.table.SetServer(s.t.Context(), http, r))
	}
}

// mark adds a service of a mark.
func (s *site) mark() error {
	id := ipvs.MarkService(7, ipvs.IPv4)
	return errors.Join(s.table.AddService(s.t.Context(), ipvs.NewService(id)),
		s.table.AddServer(s.t.Context(), id, ipvs.Server{Addr: server(ipvs.Direct, 0), Forward: ipvs.Direct, Weight: 1}))
}

func (s *site) save() {
	s.from.RulesFile = s.t.TempDir() + "/rules"
	_, err := keep.Save(s.t.Context(), s.table, s.from.RulesFile)
	s.ok(err)
}

func (s *site) filter(v4 string) { s.host.PutFirewall(false, v4) }

func (s *site) scene() Scene {
	s.t.Helper()
	sample := s.sampler.Observe(s.t.Context(), time.Now())
	s.ok(sample.Err)
	scene, err := Gather(s.t.Context(), s.from, sample)
	s.ok(err)
	if len(scene.Unread) > 0 {
		s.t.Fatalf("unread: %q", scene.Unread)
	}
	return scene
}

// told is findings in short: "fault firewall 10.0.3.11:80", "-" for a whole service
// and "" for the director.
func told(all []Finding) (lines []string) {
	for _, f := range all {
		of := ""
		if f.Service != (ipvs.ServiceID{}) {
			of = " -"
		}
		if f.Server.IsValid() {
			of = " " + f.Server.String()
		}
		fixable := ""
		if f.Fix != nil {
			fixable = " fix"
		}
		lines = append(lines, fmt.Sprintf("%s %s%s%s", f.Severity, f.Check, of, fixable))
	}
	return lines
}

func whole(t *testing.T, all []Finding) {
	t.Helper()
	for _, f := range all {
		if len(f.Evidence) == 0 || f.Short == "" || f.Means == "" {
			t.Errorf("a finding without evidence or words: %+v", f)
		}
	}
}

func TestHealthy(t *testing.T) {
	for mode := range rip {
		s := healthy(t, mode)
		if got := Run(s.scene()); len(got) > 0 {
			t.Errorf("%v: %q", mode, told(got))
		}
	}
}

// TestBroken breaks a director in one way each. What is named is all there is.
func TestBroken(t *testing.T) {
	const nat, dr, tun = ipvs.Masq, ipvs.Direct, ipvs.TunnelFwd
	const drop = "*filter\n:INPUT %s [0:0]\n:FORWARD %s [0:0]\n:OUTPUT %s [0:0]\n%sCOMMIT\n"
	moved := func(all ...ipvs.Traffic) func(*Scene, []*ops.Server) {
		return func(s *Scene, r []*ops.Server) {
			s.Lately = map[Place]Moved{}
			for i, n := range all {
				s.Lately[Place{http, r[i].Addr}] = Moved{n, 10 * time.Second}
			}
		}
	}
	shared := func(scheduler string, first, second uint32, got, other uint64) func(*Scene, []*ops.Server) {
		return func(s *Scene, r []*ops.Server) {
			s.Sample.Services[0].Scheduler, r[0].Weight, r[1].Weight = scheduler, first, second
			s.Longer = map[Place]Moved{{http, r[0].Addr}: {ipvs.Traffic{Conns: got}, time.Minute}, {http, r[1].Addr}: {ipvs.Traffic{Conns: other}, time.Minute}}
		}
	}
	held := func(busiest, others uint64) func(*Scene, []*ops.Server) {
		return func(s *Scene, r []*ops.Server) {
			s.Sample.Services[0].Persistence.On = true
			s.Loads = &Loads{
				Servers: map[Place]Load{{http, r[0].Addr}: {Conns: busiest}, {http, r[1].Addr}: {Conns: others}},
				Held:    map[ipvs.ServiceID]Clients{http: {Number: 9, Busiest: vip, Most: busiest}},
			}
		}
	}
	for _, c := range []struct {
		name  string
		mode  ipvs.Forward
		host  func(*site)
		scene func(*Scene, []*ops.Server)
		want  string // findings, divided by commas
	}{
		{"VIP gone", dr, func(s *site) { s.ok(s.host.Remove(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)})) }, nil, "fault vip -"},
		{"VIP gone, and nobody has it", dr, func(s *site) { s.ok(s.host.Remove(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)})) }, func(s *Scene, _ []*ops.Server) {
			s.Elsewhere = map[netip.Addr]Elsewhere{vip: {At: time.Now(), Free: true}}
		}, "fault vip - fix"},
		{"VIP at the other director", dr, func(s *site) {
			s.ok(s.host.Remove(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)}))
			s.ok(s.table.StartDaemon(s.t.Context(), ipvs.Daemon{Role: ipvs.Backup, Interface: "eth0"}))
		}, nil, "notice sync daemon,notice vip -"},
		{"forwarding off", nat, func(s *site) { s.ok(s.host.Set("net/ipv4/conf/eth1/forwarding", "0")) }, nil, "fault forwarding - fix"},
		{"forwarding off where it is not needed", tun, func(s *site) { s.ok(s.host.Set("net/ipv4/conf/eth0/forwarding", "0")) }, nil, ""},

		{"FORWARD drops", nat, func(s *site) { s.filter(fmt.Sprintf(drop, "ACCEPT", "DROP", "ACCEPT", "")) }, nil, "fault firewall - fix"},
		{"FORWARD drops what DR does not pass", dr, func(s *site) { s.filter(fmt.Sprintf(drop, "ACCEPT", "DROP", "ACCEPT", "")) }, nil, ""},
		{"FORWARD drops one", nat, func(s *site) {
			s.filter(fmt.Sprintf(drop, "ACCEPT", "ACCEPT", "ACCEPT", "-A FORWARD -s 10.0.3.12/32 -j DROP\n"))
		}, nil, "fault firewall 10.0.3.12:80 fix"},
		{"INPUT drops", tun, func(s *site) { s.filter(fmt.Sprintf(drop, "DROP", "ACCEPT", "ACCEPT", "-A INPUT -p icmp -j ACCEPT\n")) }, nil, "fault firewall - fix"},
		{"OUTPUT drops the tunnel", tun, func(s *site) { s.filter(fmt.Sprintf(drop, "ACCEPT", "ACCEPT", "ACCEPT", "-A OUTPUT -p 4 -j DROP\n")) }, nil, "fault firewall - fix"},
		{"INPUT asks for clients", dr, func(s *site) {
			s.filter(fmt.Sprintf(drop, "DROP", "ACCEPT", "ACCEPT", "-A INPUT -s 198.51.100.0/24 -j ACCEPT\n"))
		}, nil, "notice firewall -"},
		{"raw drops", nat, func(s *site) { s.filter("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth1 -j DROP\nCOMMIT\n") }, nil, "fault firewall -"},
		{"two back ends", nat, nil, func(s *Scene, _ []*ops.Server) {
			rule := "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p icmp -j ACCEPT\nCOMMIT\n"
			for _, b := range []firewall.Backend{firewall.IptablesNFT, firewall.IptablesLegacy} {
				s.Firewall.Tables = append(s.Firewall.Tables, firewall.ParseSave(rule, b, firewall.IPv4)...)
			}
		}, "warning iptables"},

		{"conntrack and INVALID", dr, func(s *site) {
			s.ok(s.host.Set("conntrack", "1"))
			s.filter(fmt.Sprintf(drop, "ACCEPT", "ACCEPT", "ACCEPT", "-A INPUT -m conntrack --ctstate INVALID -j DROP\n"))
		}, nil, "fault conntrack - fix"},
		{"conntrack and MASQUERADE", dr, func(s *site) {
			s.ok(s.host.Set("conntrack", "1"))
			s.filter("*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n")
		}, nil, "fault conntrack - fix"},
		{"the same under NAT", nat, func(s *site) {
			s.ok(s.host.Set("conntrack", "1"))
			s.filter("*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n")
		}, nil, "notice conntrack -"},
		{"the same without conntrack", dr, func(s *site) { s.filter("*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n") }, nil, ""},
		{"full NAT without conntrack", nat, func(s *site) { s.filter(fullRule) }, nil, "fault full nat - fix"},
		{"full NAT", nat, func(s *site) { s.filter(fullRule); s.ok(s.host.Set("conntrack", "1")) }, nil, ""},

		{"one arm with redirects", nat, func(s *site) {
			s.ok(s.table.AddServer(s.t.Context(), http, ipvs.Server{Addr: netip.MustParseAddrPort("203.0.113.20:80"), Weight: 1}))
			s.ok(s.host.Set("net/ipv4/conf/eth0/forwarding", "1"))
		}, nil, "warning redirects - fix"},
		{"DR behind a router", dr, func(s *site) {
			s.ok(s.table.AddServer(s.t.Context(), http, ipvs.Server{Addr: netip.MustParseAddrPort("192.0.2.9:80"), Forward: dr, Weight: 1}))
		}, nil, "warning route 192.0.2.9:80"},
		{"no route", tun, func(s *site) {
			s.ok(s.host.Remove(netcfg.Route{To: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("203.0.113.1"), Link: "eth0"}))
		}, nil, "fault route 192.0.2.11:80,fault route 192.0.2.12:80"},
		{"silent neighbour", nat, func(s *site) {
			s.host.PutNeighbour(netcfg.Neighbour{Link: "eth1", Addr: server(nat, 1).Addr(), Failed: true})
		}, nil, "warning neighbour 10.0.3.12:80"},
		{"silent neighbour with clients", nat, func(s *site) {
			s.host.PutNeighbour(netcfg.Neighbour{Link: "eth1", Addr: server(nat, 1).Addr(), Failed: true})
		}, func(s *Scene, r []*ops.Server) { r[1].Active = 3 }, "fault neighbour 10.0.3.12:80"},
		{"neighbour still asked", nat, func(s *site) {
			s.host.PutNeighbour(netcfg.Neighbour{Link: "eth1", Addr: server(nat, 1).Addr()})
			s.host.PutNeighbour(netcfg.Neighbour{Link: "eth1", Addr: server(nat, 0).Addr()})
		}, func(s *Scene, r []*ops.Server) { r[0].Active, r[1].Active, r[1].Was.Active = 1, 1, 1 }, "fault neighbour 10.0.3.12:80"},
		{"silent neighbour with half open clients", nat, func(s *site) {
			s.host.PutNeighbour(netcfg.Neighbour{Link: "eth1", Addr: server(nat, 1).Addr(), Failed: true})
		}, func(_ *Scene, r []*ops.Server) { r[1].Rate.Conns = 900 }, "fault neighbour 10.0.3.12:80"},
		{"silent neighbour explains what it does", nat, func(s *site) {
			s.host.PutNeighbour(netcfg.Neighbour{Link: "eth1", Addr: server(nat, 1).Addr(), Failed: true})
		}, func(s *Scene, r []*ops.Server) {
			waiting(s, r[1], 5, 5)
		}, "fault neighbour 10.0.3.12:80"},
		{"DR port", dr, nil, func(_ *Scene, r []*ops.Server) { r[0].Addr = netip.MustParseAddrPort("203.0.113.11:8080") }, "warning ports 203.0.113.11:8080"},

		{"no server", nat, func(s *site) {
			s.ok(s.table.DeleteService(s.t.Context(), http))
			s.ok(s.table.AddService(s.t.Context(), ipvs.NewService(http)))
		}, nil, "fault no server -"},
		{"weight 0", nat, func(s *site) { s.edit(nat, func(r *ipvs.Server) { r.Weight = 0 }, 0, 1) }, nil, "fault no server - fix"},
		{"weight 0 of one", nat, func(s *site) { s.edit(nat, func(r *ipvs.Server) { r.Weight = 0 }, 0) }, nil, ""},
		{"no scheduler", nat, func(s *site) {
			v := ipvs.NewService(http)
			v.Scheduler = "none"
			s.ok(s.table.SetService(s.t.Context(), v))
		}, nil, "fault scheduler - fix"},
		{"one is full", nat, nil, func(_ *Scene, r []*ops.Server) { r[0].Upper, r[0].Inactive = 2, 2 }, "warning threshold 10.0.3.11:80"},
		{"nearly full", nat, nil, func(_ *Scene, r []*ops.Server) { r[0].Upper, r[0].Inactive, r[1].Upper, r[1].Active = 10, 9, 10, 8 }, "notice threshold 10.0.3.11:80"},
		{"all are full", nat, nil, func(_ *Scene, r []*ops.Server) { r[0].Upper, r[0].Inactive, r[1].Weight = 2, 2, 0 }, "fault threshold 10.0.3.11:80"},
		{"persistence", dr, nil, func(s *Scene, r []*ops.Server) {
			s.Sample.Services[0].Persistence.On = true
			r[0].Weight, r[0].Persistent, r[0].PersistentKnown = 0, 4, true
		}, "notice drain 203.0.113.11:80 fix"},

		{"reuse on an old kernel", nat, func(s *site) { s.ok(s.host.Set("conntrack", "1")) }, func(s *Scene, _ []*ops.Server) { s.Kernel = Release{5, 4} }, "warning conn_reuse_mode fix"},
		{"no reuse on a new one", nat, func(s *site) { s.ok(s.host.Set("conn_reuse_mode", "0")) }, func(s *Scene, r []*ops.Server) { s.Kernel, r[0].Weight = Release{6, 1}, 0 }, "warning conn_reuse_mode fix"},
		{"no reuse where nothing is drained", nat, func(s *site) { s.ok(s.host.Set("conn_reuse_mode", "0")) }, func(s *Scene, _ []*ops.Server) { s.Kernel = Release{6, 1} }, ""},
		{"no reuse on an old one", nat, func(s *site) { s.ok(s.host.Set("conn_reuse_mode", "0")) }, func(s *Scene, _ []*ops.Server) { s.Kernel = Release{5, 4} }, ""},
		{"estimator", nat, func(s *site) { s.ok(s.host.Set("run_estimation", "0")) }, func(s *Scene, _ []*ops.Server) { s.Sample.EstimatorStopped = "off" }, "warning estimator fix"},
		{"defences left on", nat, func(s *site) { s.ok(errors.Join(s.host.Set("drop_packet", "3"), s.host.Set("drop_entry", "3"))) }, nil, "warning defence fix,notice defence fix"},
		{"defences when memory is short", nat, func(s *site) { s.ok(s.host.Set("drop_packet", "1")) }, nil, ""},
		{"small table", nat, nil, func(s *Scene, _ []*ops.Server) {
			s.Kernel, s.Sample.Info.TableSize, s.Sample.Inactive = Release{6, 12}, 4096, 9000
		}, "warning table size"},
		{"small table that grows", nat, nil, func(s *Scene, _ []*ops.Server) {
			s.Kernel, s.Sample.Info.TableSize, s.Sample.Inactive = Release{7, 1}, 4096, 9000
		}, ""},
		{"conntrack fills up", nat, func(s *site) { s.host.Put(trackNow, "80"); s.host.Put(trackMax, "100") }, nil, "warning conntrack table fix"},
		{"conntrack is full", nat, func(s *site) { s.host.Put(trackNow, "100"); s.host.Put(trackMax, "100") }, nil, "fault conntrack table fix"},
		{"keepalived", nat, nil, func(s *Scene, _ []*ops.Server) { s.Owner = &owner.Owner{Name: "keepalived", PID: 7, Will: "It will."} }, "notice owner"},
		{"keepalived and another", nat, nil, func(s *Scene, _ []*ops.Server) {
			s.Owner = &owner.Owner{Name: "keepalived", PID: 7, Also: "ldirectord"}
		}, "warning owner"},
		{"sync daemon", nat, func(s *site) {
			s.ok(s.table.StartDaemon(s.t.Context(), ipvs.Daemon{Role: ipvs.Master, Interface: "eth0"}))
		}, func(s *Scene, _ []*ops.Server) { s.Links[1].Up = false }, "fault link - fix,warning sync daemon fix"},
		{"sync daemon that is not heard", nat, func(s *site) {
			s.ok(s.table.StartDaemon(s.t.Context(), ipvs.Daemon{Role: ipvs.Backup, Interface: "eth0", Group: netip.MustParseAddr("224.0.0.81"), Port: 8848}))
			s.filter(fmt.Sprintf(drop, "ACCEPT", "ACCEPT", "ACCEPT", "-A INPUT -p udp -m udp --dport 8000:9000 -j DROP\n"))
		}, nil, "warning sync daemon fix"},
		{"card off", dr, nil, func(s *Scene, _ []*ops.Server) { s.Links[1].Up = false }, "fault link - fix"},
		{"card without carrier", nat, nil, func(s *Scene, _ []*ops.Server) { s.Links[1].Carrier = false }, "fault link -"},
		{"another card without carrier", dr, func(s *site) {
			s.ok(s.host.Remove(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)}))
			s.ok(s.host.Add(netcfg.Address{Link: "eth1", Prefix: netip.PrefixFrom(vip, 32)}))
		}, func(s *Scene, _ []*ops.Server) { s.Links[2].Carrier = false }, "notice link -"},
		{"card without carrier, and packets", nat, nil, func(s *Scene, _ []*ops.Server) {
			s.Links[1].Carrier, s.Sample.Services[0].Rate.InPackets = false, 9
		}, ""},
		{"a mark that nobody sets, of what is known", dr, func(s *site) { s.ok(s.mark()) }, func(s *Scene, _ []*ops.Server) { s.FirewallPartly = true }, ""},
		{"a mark that nobody sets", dr, func(s *site) { s.ok(s.mark()) }, nil, "warning mark -"},
		{"a mark that somebody sets", dr, func(s *site) {
			s.ok(s.mark())
			s.filter("*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 203.0.113.10/32 -p tcp -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n")
		}, nil, ""},
		{"nothing saved", nat, func(s *site) { s.from.RulesFile = s.t.TempDir() + "/rules" }, nil, "notice unsaved"},
		{"saved", nat, func(s *site) { s.save() }, nil, ""},
		{"saved otherwise", nat, func(s *site) { s.save(); s.edit(nat, func(r *ipvs.Server) { r.Weight = 2 }, 0) }, nil, "notice unsaved"},
		{"saved with names", nat, func(s *site) {
			s.from.RulesFile = s.t.TempDir() + "/rules"
			s.ok(os.WriteFile(s.from.RulesFile, []byte("-A -t www.example.org:http -s rr\n"), 0o600))
		}, nil, "warning unsaved"},

		{"removed server", nat, nil, func(s *Scene, _ []*ops.Server) {
			s.Loads = &Loads{Gone: map[Place]Load{{http, netip.MustParseAddrPort("10.0.3.99:80")}: {Conns: 2, Open: 1}}}
		}, "warning removed server 10.0.3.99:80 fix"},
		{"near clients", nat, nil, func(s *Scene, r []*ops.Server) {
			s.Loads = &Loads{Servers: map[Place]Load{{http, r[0].Addr}: {Fresh: 6, HalfOpen: 5, Near: 5}}}
		}, "fault shortcut 10.0.3.11:80"},
		{"one near client is half open", nat, nil, func(s *Scene, r []*ops.Server) {
			s.Loads = &Loads{Servers: map[Place]Load{{http, r[0].Addr}: {Conns: 20000, Open: 15000, Fresh: 5000, HalfOpen: 1, Near: 1}}}
		}, ""},
		{"a near client is served", nat, nil, func(s *Scene, r []*ops.Server) {
			s.Loads = &Loads{Servers: map[Place]Load{{http, r[0].Addr}: {Fresh: 50, HalfOpen: 6, Near: 6, NearOpen: 1}}}
		}, ""},
		{"half open", nat, nil, func(s *Scene, r []*ops.Server) {
			s.Loads = &Loads{Servers: map[Place]Load{{http, r[1].Addr}: {Fresh: 20, HalfOpen: 5}, {http, r[0].Addr}: {Fresh: 21, HalfOpen: 5}}}
		}, "warning half-open 10.0.3.12:80"},
		{"all half open", nat, nil, func(s *Scene, r []*ops.Server) {
			waiting(s, r[1], 5, 5)
		}, "fault half-open 10.0.3.12:80"},
		{"a scanner", nat, nil, func(s *Scene, r []*ops.Server) {
			waiting(s, r[1], 5, 5)
			s.Loads.Asking[http] = Clients{Number: 1}
		}, "warning half-open 10.0.3.12:80"},
		{"those who only knock", nat, nil, func(s *Scene, r []*ops.Server) {
			waiting(s, r[1], 5, 5)
			s.Lately[Place{http, r[1].Addr}] = Moved{ipvs.Traffic{Conns: 5, InPackets: 5}, time.Second}
		}, "warning half-open 10.0.3.12:80"},
		{"half open for a reason", nat, func(s *site) { s.ok(s.host.Set("net/ipv4/conf/eth1/forwarding", "0")) }, func(s *Scene, r []*ops.Server) {
			s.Loads = &Loads{Servers: map[Place]Load{{http, r[1].Addr}: {Fresh: 5, HalfOpen: 5}}}
		}, "fault forwarding - fix"},
		{"flood", nat, nil, func(s *Scene, r []*ops.Server) {
			s.Loads = &Loads{Servers: map[Place]Load{{http, r[0].Addr}: {Fresh: 90, HalfOpen: 60}, {http, r[1].Addr}: {Fresh: 60, HalfOpen: 40}}}
		}, "warning flood -"},
		{"flood on a single one", nat, nil, func(s *Scene, r []*ops.Server) {
			s.Loads = &Loads{Servers: map[Place]Load{{http, r[0].Addr}: {Fresh: 130, HalfOpen: 120}, {http, r[1].Addr}: {Fresh: 60, HalfOpen: 10}}}
		}, "warning half-open 10.0.3.11:80"},
		{"flood that hides every client", nat, nil, func(s *Scene, r []*ops.Server) {
			moved(ipvs.Traffic{Conns: 60, InPackets: 80}, ipvs.Traffic{Conns: 60, InPackets: 80})(s, r)
			s.Loads = &Loads{Servers: map[Place]Load{{http, r[0].Addr}: {Fresh: 60, HalfOpen: 60}, {http, r[1].Addr}: {Fresh: 60, HalfOpen: 60}}}
		}, "warning flood -"},
		{"clients that ask again and again", nat, nil, func(s *Scene, r []*ops.Server) {
			moved(ipvs.Traffic{Conns: 60, InPackets: 180, OutPackets: 40}, ipvs.Traffic{Conns: 60, InPackets: 180, OutPackets: 40})(s, r)
			s.Loads = &Loads{Servers: map[Place]Load{{http, r[0].Addr}: {Fresh: 60, HalfOpen: 60}, {http, r[1].Addr}: {Fresh: 60, HalfOpen: 60}}, Asking: map[ipvs.ServiceID]Clients{http: {Number: 7}}}
		}, "fault half-open 10.0.3.11:80,fault half-open 10.0.3.12:80"},
		{"shares of rr", nat, nil, shared("rr", 1, 9, 141, 59), "warning share -"},
		{"fair enough for rr", nat, nil, shared("rr", 1, 9, 139, 61), ""},
		{"too few to tell", nat, nil, shared("rr", 1, 1, 125, 74), ""},
		{"shares of wrr", nat, nil, shared("wrr", 3, 1, 200, 200), "warning share -"},
		{"as weights say", nat, nil, shared("wrr", 30, 10, 300, 100), ""},
		{"too few turns of wrr", nat, nil, shared("wrr", 97, 50, 400, 200), ""},
		{"wlc goes by connections", nat, nil, shared("wlc", 1, 1, 350, 50), ""},
		{"wlc leaves one out", nat, nil, shared("wlc", 1, 1, 381, 19), "warning share 10.0.3.12:80"},
		{"one address for many", nat, nil, held(30, 70), "notice persistence -"},
		{"many addresses", nat, nil, held(29, 71), ""},
		{"few connections", nat, nil, held(95, 4), ""},
		{"sh goes by addresses", nat, nil, shared("sh", 1, 1, 400, 0), ""},
		{"no answers", nat, nil, moved(ipvs.Traffic{Conns: 10, InPackets: 50, OutPackets: 2}, ipvs.Traffic{Conns: 10, InPackets: 50, OutPackets: 3}),
			"warning answers 10.0.3.11:80"},
		{"answers under DR", dr, nil, moved(ipvs.Traffic{Conns: 15, InPackets: 100, OutPackets: 90}), "warning answers 203.0.113.11:80"},
		{"too big for the tunnel", tun, nil, moved(ipvs.Traffic{Conns: 1, InPackets: 9, OutPackets: 2, OutBytes: 1152}), "warning answers 192.0.2.11:80"},
		{"refused by the tunnel's end", tun, nil, moved(ipvs.Traffic{Conns: 3, InPackets: 9, OutPackets: 9, OutBytes: 9 * 88}), "warning answers 192.0.2.11:80"},
		{"knocking", dr, nil, moved(ipvs.Traffic{Conns: 100, InPackets: 249}, ipvs.Traffic{Conns: 100, InPackets: 250}), "warning handshakes 203.0.113.11:80"},
		{"a checker that resets", nat, nil, moved(ipvs.Traffic{Conns: 200, InPackets: 400, OutPackets: 200}), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := healthy(t, c.mode)
			if c.host != nil {
				c.host(s)
			}
			scene := s.scene()
			if c.scene != nil {
				c.scene(&scene, scene.Sample.Services[0].Servers)
			}
			found := Run(scene)
			whole(t, found)
			if got := strings.Join(told(found), ","); got != c.want {
				t.Errorf("got %q, want %q\n%+v", got, c.want, found)
			}
			s.mend(found, c.scene == nil)
		})
	}
}

// waiting has clients who ask a server again and again.
func waiting(s *Scene, r *ops.Server, fresh, halfOpen uint64) {
	at := Place{http, r.Addr}
	s.Loads = &Loads{Servers: map[Place]Load{at: {Fresh: fresh, HalfOpen: halfOpen}}, Asking: map[ipvs.ServiceID]Clients{http: {Number: 3}}}
	s.Lately = map[Place]Moved{at: {ipvs.Traffic{Conns: 5, InPackets: 12}, 10 * time.Second}}
}

const fullRule = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -m ipvs --vaddr 203.0.113.10/32 --vport 80 --vdir ORIGINAL --vmethod MASQ -j MASQUERADE\nCOMMIT\n"

// mend applies what is offered: where nothing was made up afterwards, nothing above
// a notice is left.
func (s *site) mend(found []Finding, real bool) {
	s.t.Helper()
	target := plan.Target{Table: s.table, Sysctls: s.host, Host: s.host}
	fixed := false
	for _, f := range found {
		if f.Fix == nil || !real {
			continue
		}
		fixed = true
		for _, i := range f.Fix.Items {
			s.ok(i.Step.Do(s.t.Context(), target))
		}
	}
	if worst, _ := Worst(Run(s.scene())); fixed && worst > Notice {
		s.t.Errorf("after the fix: %q", told(Run(s.scene())))
	}
}
