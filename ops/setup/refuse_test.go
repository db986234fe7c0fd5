package setup

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/netcfg"
)

// refusal is what a set-up is refused for.
type refusal struct {
	name    string
	mode    Mode
	vip     string
	servers []string
	change  func(*site, *Wish)
	field   check.Field
	says    string
}

var refusals = []refusal{
	{"no servers", NAT, "203.0.113.10:80", nil, nil, check.Server, "must be at least one"},
	{"mode", "lb", "203.0.113.10:80", []string{"10.0.3.11"}, nil, FieldMode, "must be nat, dr, tun or fullnat"},
	{"multicast", DR, "224.0.0.5:80", []string{"203.0.113.11"}, nil, FieldVIP, "must be one host's address"},
	{"broadcast", DR, "255.255.255.255:80", []string{"203.0.113.11"}, nil, FieldVIP, "must be one host's address"},
	{"broadcast of a network", DR, "203.0.113.255:80", []string{"203.0.113.11"}, nil, FieldVIP, "the broadcast address of 203.0.113.0/24"},
	{"VIP is a server", DR, "203.0.113.11:80", []string{"203.0.113.11"}, nil, check.Server, "must not be the VIP"},
	{"server twice", DR, "203.0.113.10:80", []string{"203.0.113.11", "203.0.113.11:80,5"}, nil, check.Server, check.ServerTwice},
	{"port of DR", DR, "203.0.113.10:80", []string{"203.0.113.11:8080"}, nil, check.ServerPort, "use NAT or full NAT"},
	{"port of TUN", TUN, "203.0.113.10:80", []string{"10.0.9.11:8080"}, nil, check.ServerPort, "must be the service's, 80"},
	{"families of NAT", NAT, "[2001:db8:2::10]:80", []string{"10.0.3.11"}, nil, check.Server, "name the server by an IPv6 address, or use TUN"},
	{"families of DR", DR, "203.0.113.10:80", []string{"2001:db8:2::11"}, nil, check.Server, "must be IPv4 as its service is"},
	{"families beside a sync daemon", TUN, "203.0.113.10:80", []string{"2001:db8:9::11"}, func(s *site, _ *Wish) {
		s.ok(s.table.StartDaemon(ctx, ipvs.Daemon{Role: ipvs.Master, Interface: "eth0"}))
		s.host.Plug("eth6", "2001:db8:9::1/64")
		s.Asker = nil
	}, check.Server, "stop the sync daemon"},
	{"server is loopback", NAT, "203.0.113.10:80", []string{"127.0.0.1"}, nil, check.Server, "must be another host"},
	{"server is the director", NAT, "203.0.113.10:80", []string{"10.0.3.1"}, nil, check.Server, "this director's own address"},
	{"server off-link, DR", DR, "203.0.113.10:80", []string{"10.0.9.11"}, nil, check.Server, "it is behind 203.0.113.254; use TUN or full NAT"},
	{"server beyond the default route, NAT", NAT, "203.0.113.10:80", []string{"10.0.9.11"}, nil, check.Server, "use full NAT or TUN"},
	{"server silent", NAT, "203.0.113.10:80", []string{"10.0.3.99"}, nil, check.Server, "nobody answers for it on eth1; switch it on"},
	{"no route", TUN, "203.0.113.10:80", []string{"2001:db8:9::11"}, nil, check.Server, "must be reached from this director"},
	{"VIP taken", NAT, "203.0.113.12:80", []string{"10.0.3.11"}, nil, FieldVIP, "must be free on eth0: it is taken: the host 02:00:00:00:00:99 has it"},
	{"no such interface", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.Link = "eth7" }, FieldInterface, "name one of eth0, eth1"},
	{"interface's name", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.Link = "eth0;reboot" }, FieldInterface, "must be a name"},
	{"interface off", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(s *site, w *Wish) {
		w.Link = "eth9"
		s.host.PutLink(netcfg.Link{Name: "eth9"})
	}, FieldInterface, "ip link set eth9 up"},
	{"interface of a bridge", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(s *site, w *Wish) {
		w.Link = "eth9"
		s.host.PutLink(netcfg.Link{Name: "eth9", Up: true, Master: "br0"})
	}, FieldInterface, "name br0"},
	{"VIP elsewhere", NAT, "203.0.113.1:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.Link = "eth1" }, FieldInterface, "must be eth0, which has the VIP already"},
	{"the VIP speaks to servers", DR, "203.0.113.1:80", []string{"203.0.113.11"}, nil, check.Server, "another address than the VIP"},
	{"scheduler", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.Scheduler = "twos" }, check.Scheduler, "it has no module ip_vs_twos"},
	{"scheduler's name", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.Scheduler = "no such" }, check.Scheduler, "must be of letters"},
	{"tunnel of NAT", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.Tunnel.Type = ipvs.GRE }, check.TunnelType, "only for TUN"},
	{"GUE without a port", TUN, "203.0.113.10:80", []string{"10.0.9.11"}, func(_ *site, w *Wish) { w.Tunnel.Type = ipvs.GUE }, check.TunnelPort, "must be 1 to 65535"},
	{"SNAT of DR", DR, "203.0.113.10:80", []string{"203.0.113.11"}, func(_ *site, w *Wish) { w.SNAT = netip.MustParsePrefix("203.0.113.0/24") }, FieldSNAT, "only for NAT"},
	{"SNAT of everything", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.SNAT = netip.MustParsePrefix("0.0.0.0/0") }, FieldSNAT, "not everything"},
	{"SNAT of a host", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.SNAT = netip.MustParsePrefix("10.0.3.1/24") }, FieldSNAT, "must be a network: 10.0.3.0/24"},
	{"SNAT without a way out", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(s *site, w *Wish) {
		s.ok(s.host.Remove(netcfg.Route{To: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("203.0.113.254"), Link: "eth0"}))
		w.SNAT = netip.MustParsePrefix("10.0.3.0/24")
	}, FieldSNAT, "no default route"},
	{"sources of NAT", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.Sources = sources("10.0.3.1", "10.0.3.1") }, FieldSources, "only for full NAT"},
	{"sources of somebody else", FullNAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.Sources = sources("10.0.3.1", "10.0.3.2") }, FieldSources, "must be an address of this director"},
	{"sources without an end", FullNAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.Sources = sources("10.0.3.1", "10.255.3.2") }, FieldSources, "must be at most 256 addresses"},
	{"sources backwards", FullNAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(_ *site, w *Wish) { w.Sources = sources("10.0.3.2", "10.0.3.1") }, FieldSources, "the first and the last"},
	{"the session's own port", NAT, "203.0.113.1:22", []string{"10.0.3.11"}, func(s *site, _ *Wish) {
		s.Session = &Session{Client: netip.MustParseAddr("198.51.100.7"), Server: netip.MustParseAddrPort("203.0.113.1:22")}
	}, FieldVIP, "must not be where this SSH session comes in"},
	{"another service there", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(s *site, w *Wish) {
		other := ipvs.NewService(w.Service)
		other.Scheduler = "rr"
		s.ok(s.table.AddService(ctx, other))
	}, check.Service, "scheduler rr to wlc"},
	{"another server there", NAT, "203.0.113.10:80", []string{"10.0.3.11"}, func(s *site, w *Wish) {
		s.ok(s.table.AddService(ctx, ipvs.NewService(w.Service)))
		s.ok(s.table.AddServer(ctx, w.Service, ipvs.Server{Addr: netip.MustParseAddrPort("10.0.3.11:80"), Weight: 7}))
	}, check.Server, "weight 7 to 1"},
}

func sources(first, last string) Range {
	return Range{netip.MustParseAddr(first), netip.MustParseAddr(last)}
}

// TestRefusals: each names its field and what to do, and comes from the wish
// alone or from what was found out.
func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, ipvs.IPv4, 2)
			w := wish(t, c.mode, c.vip, c.servers...)
			if c.change != nil {
				c.change(s, &w)
			}
			_, err := s.draft(w)
			refused, ok := Refused(err)
			if !ok || !slices.ContainsFunc(refused.Of(c.field), func(r Refusal) bool { return strings.Contains(r.Error(), c.says) }) {
				t.Errorf("refused with %v, want %s: %s", err, c.field, c.says)
			}
		})
	}
}

// TestMarks: a firewall mark service is not set up by us.
func TestMarks(t *testing.T) {
	err := Wish{Mode: NAT, Service: ipvs.MarkService(7, ipvs.IPv4), Servers: []Server{{Addr: netip.MustParseAddrPort("10.0.3.11:80")}}}.Check()
	if r, ok := Refused(err); !ok || len(r.Of(check.Service)) == 0 {
		t.Error(err)
	}
}

// TestLookFails: what cannot be found out is no refusal.
func TestLookFails(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	errBroken := errors.New("broken")
	s.Asker = broken{nil, errBroken}
	_, err := s.draft(wish(t, NAT, "203.0.113.10:80", "10.0.3.11"))
	if _, refused := Refused(err); refused || !errors.Is(err, errBroken) {
		t.Error(err)
	}
}
