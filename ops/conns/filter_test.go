package conns

import (
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

func TestParse(t *testing.T) {
	text := func(parse func(string) (string, error)) func(string) string {
		return func(s string) string {
			got, err := parse(s)
			if err != nil {
				return "refused"
			}
			return got
		}
	}
	client := text(func(s string) (string, error) { p, err := ParseClient(s); return Filter{Client: p}.String(), err })
	service := text(func(s string) (string, error) { id, err := ParseService(s); return Filter{Service: id}.String(), err })
	server := text(func(s string) (string, error) { at, err := ParseServer(s); return Filter{Server: at}.String(), err })
	for _, c := range []struct {
		parse    func(string) string
		in, want string
	}{
		{client, "10.0.0.7", "client 10.0.0.7"}, {client, "10.0.0.7/8", "client 10.0.0.0/8"}, {client, "::ffff:10.0.0.7", "client 10.0.0.7"},
		{client, "2001:db8::7/64", "client 2001:db8::/64"}, {client, "host", "refused"}, {client, "10.0.0.7/33", "refused"}, {client, "fe80::1%eth0", "refused"},
		{client, "::ffff:198.18.200.0/120", "client 198.18.200.0/24"}, {client, "::ffff:198.18.200.7/128", "client 198.18.200.7"},
		{client, "::ffff:0:0/96", "client 0.0.0.0/0"}, {client, "::ffff:0:0/95", "refused"}, {client, "::/0", "refused"}, {client, "::fffe:0:0/96", "client ::fffe:0:0/96"},
		{service, "203.0.113.10:443", "service 203.0.113.10:443"}, {service, "203.0.113.10", "service 203.0.113.10"},
		{service, "tcp 203.0.113.10:443", "service TCP 203.0.113.10:443"}, {service, "UDP/[2001:db8::53]:53", "service UDP [2001:db8::53]:53"},
		{service, "2001:db8::53", "service 2001:db8::53"}, {service, "fwm 7", "service FWM 7"}, {service, "FWM 7 IPv6", "service FWM 7 IPv6"},
		{service, "", "refused"}, {service, "fwm", "refused"}, {service, "fwm 0", "refused"}, {service, "fwm 7 x", "refused"}, {service, "icmp 10.0.0.1", "refused"}, {service, "tcp", "refused"},
		{server, "10.0.3.11:443", "server 10.0.3.11:443"}, {server, "10.0.3.11", "server 10.0.3.11"}, {server, "[2001:db8::1]:80", "server [2001:db8::1]:80"},
		{server, "[2001:db8::1]", "server 2001:db8::1"}, {server, "10.0.3.11:x", "refused"},
	} {
		if got := c.parse(c.in); got != c.want {
			t.Errorf("%q is %q, want %q", c.in, got, c.want)
		}
	}
	for _, by := range AllBy() {
		if got, err := ParseBy(by.String()); got != by || err != nil {
			t.Errorf("%s: %v, %v", by, got, err)
		}
	}
	if _, err := ParseBy("hog"); err == nil || !strings.Contains(err.Error(), `"hog"; choose one of: client, net,`) {
		t.Errorf("error %v", err)
	}
}

func TestFilterString(t *testing.T) {
	f := Filter{
		Client: netip.MustParsePrefix("10.0.0.0/8"), Service: ipvs.MarkService(7, ipvs.IPv4), Server: netip.MustParseAddrPort("10.1.1.1:80"),
		State: "SYN_RECV", Origin: proc.OriginSync, Templates: NoTemplates, Unlisted: true,
	}
	want := "client 10.0.0.0/8, service FWM 7, server 10.1.1.1:80, state SYN_RECV, origin sync, no templates, servers not listed"
	if f.String() != want || f.Empty() || !(Filter{}).Empty() {
		t.Errorf("%q", f)
	}
}

func TestOwner(t *testing.T) {
	id := func(s string) ipvs.ServiceID {
		got, err := ParseService(s)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	at := netip.MustParseAddrPort
	var l Listed
	l.Add(id("tcp 203.0.113.10:443"), []netip.AddrPort{at("10.0.0.1:443"), at("10.0.0.2:8443")})
	l.Add(id("tcp 203.0.113.20:0"), []netip.AddrPort{at("10.0.0.3:0")})
	l.Add(id("tcp 203.0.113.21:21"), []netip.AddrPort{at("10.0.0.4:21")})
	l.Add(id("fwm 7"), []netip.AddrPort{at("10.0.0.5:0"), at("10.0.0.6:0")})
	l.Add(id("fwm 7 IPv6"), []netip.AddrPort{at("[2001:db8::5]:0")})
	for _, c := range []struct {
		virtual, server, owner string
		listed                 bool
	}{
		{"tcp 203.0.113.10:443", "10.0.0.1:443", "TCP 203.0.113.10:443", true},
		{"tcp 203.0.113.10:443", "10.0.0.2:443", "TCP 203.0.113.10:443", false},
		{"tcp 203.0.113.10:443", "10.0.0.5:443", "TCP 203.0.113.10:443", false}, // the mark's server, but not its connection
		{"udp 203.0.113.10:443", "10.0.0.1:443", "UDP 203.0.113.10:443", false},
		{"tcp 203.0.113.20:8080", "10.0.0.3:8080", "TCP 203.0.113.20:0", true}, // every port
		{"tcp 203.0.113.20:8080", "10.0.0.9:8080", "TCP 203.0.113.20:0", false},
		{"tcp 203.0.113.21:20", "10.0.0.4:20", "TCP 203.0.113.21:21", true}, // FTP's data
		{"tcp 203.0.113.21:0", "10.0.0.4:0", "TCP 203.0.113.21:21", true},   // and templates
		{"tcp 198.51.100.1:80", "10.0.0.6:80", "FWM 7", true},
		{"tcp [2001:db8::80]:80", "[2001:db8::5]:80", "FWM 7 IPv6", true},
		{"fwm 7", "10.0.0.5:0", "FWM 7", true},
		{"fwm 8", "10.0.0.5:0", "FWM 8", false},
		{"tcp 198.51.100.1:80", "10.0.0.7:80", "TCP 198.51.100.1:80", false},
	} {
		owner, listed := l.Owner(id(c.virtual), at(c.server))
		if owner.String() != c.owner || listed != c.listed {
			t.Errorf("%s on %s: %s, %v; want %s, %v", c.virtual, c.server, owner, listed, c.owner, c.listed)
		}
	}
}

// TestListed: with the table, connections are counted by its services, and those
// whose server is gone are told.
func TestListed(t *testing.T) {
	const text = proc.ConnTitle +
		"TCP C6336401 D431 CB00710A 01BB 0A000001 01BB ESTABLISHED     893\n" +
		"TCP C6336401 D432 CB00710A 01BB 0A000009 01BB ESTABLISHED     893\n" + // its server is gone
		"TCP C6336401 D433 C0000201 0050 0A000005 0050 ESTABLISHED     893\n" + // by mark
		"TCP C6336401 D434 C0000202 0051 0A000005 0051 ESTABLISHED     893\n" +
		"IP  C6336400 0000 00000007 0000 0A000005 0000 NONE             59\n" +
		"TCP C6336401 D435 CB007163 0050 0A000001 0050 ESTABLISHED     893\n" // its service is gone
	o := ipvs.Overview{}
	for _, s := range []struct {
		id     ipvs.ServiceID
		server string
	}{
		{ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443")), "10.0.0.1:443"},
		{ipvs.MarkService(7, ipvs.IPv4), "10.0.0.5:0"},
	} {
		e := ipvs.Entry{Servers: []ipvs.ServerState{{Server: ipvs.Server{Addr: netip.MustParseAddrPort(s.server)}}}}
		e.ServiceID = s.id
		o.Services = append(o.Services, e)
	}
	q := Query{By: []By{ByService, ByServer}, Listed: ListedIn(o)}
	r := read(t, []byte(text), q)
	if r.Gone.Conns != 2 || r.All.Conns != 5 || r.All.Templates != 1 {
		t.Errorf("%d gone of %+v", r.Gone, r.All)
	}
	var got []string
	for _, ranking := range r.Rankings {
		for _, g := range ranking.Groups {
			s := ranking.By.String() + " " + g.Name(ranking.By)
			if g.Gone {
				s += " gone"
			}
			got = append(got, s)
		}
	}
	want := "service FWM 7, service TCP 203.0.113.10:443, service TCP 203.0.113.99:80 gone, " +
		"server 10.0.0.1:443, server 10.0.0.9:443 gone, server 10.0.0.1:80 gone, server 10.0.0.5:80, server 10.0.0.5:81, server 10.0.0.5:0"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	only := q
	only.Unlisted = true
	if r := read(t, []byte(text), only); r.All.Conns != 2 || r.All.Templates != 0 || r.Gone.Conns != 2 {
		t.Errorf("only with servers that are not listed: %+v", r.All)
	}
	q.Service = ipvs.MarkService(7, ipvs.IPv4)
	if r := read(t, []byte(text), q); r.All.Conns != 2 || r.All.Templates != 1 {
		t.Errorf("the mark has %+v", r.All)
	}
}

func TestStates(t *testing.T) {
	set := ipvs.Timeouts{TCP: 600, UDP: 30}
	for _, c := range []struct {
		State
		timeout uint32
		about   string
	}{
		{State{ipvs.TCP, "ESTABLISHED", false}, 600, "handshake is done"},
		{State{ipvs.TCP, "FIN_WAIT", false}, 120, "under DR and TUN"},
		{State{ipvs.TCP, "SYN_RECV", false}, 60, "flood"},
		{State{ipvs.UDP, "UDP", false}, 30, "no end"},
		{State{ipvs.SCTP, "C-ECHOED", false}, 0, "SCTP's handshake"},
		{State{0, "NONE", true}, 0, "holds the client"},
		{State{ipvs.TCP, "NEWER", false}, 0, ""},
	} {
		if c.Timeout(set) != c.timeout || !strings.Contains(c.About(), c.about) || c.about == "" && c.About() != "" {
			t.Errorf("%s: %d, %q", c.State, c.Timeout(set), c.About())
		}
	}
}
