package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	libipvs "github.com/moby/ipvs"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// rules are of all kinds, in ipvsadm's own words and order.
const rules = `-A -t 192.0.2.9:80 -s mh -b mh-fallback,mh-port
-a -t 192.0.2.9:80 -r 192.168.100.101:8080 -m -w 65535
-A -t 192.0.2.10:443 -s wlc -p 360 -M 255.255.255.0
-a -t 192.0.2.10:443 -r 10.0.0.2:443 -g -w 1
-a -t 192.0.2.10:443 -r 10.0.0.3:443 -i -w 5 --tun-type gue --tun-port 6080 --tun-csum
-a -t 192.0.2.10:443 -r 10.0.0.4:443 -i -w 5 --tun-type gre --tun-nocsum
-a -t 192.0.2.10:443 -r 10.0.0.6:443 -i -w 0 --tun-type gue --tun-port 1 --tun-remcsum
-a -t 192.0.2.10:443 -r [2001:db8::5]:443 -i -w 5 --tun-type ipip
-A -u 192.0.2.10:53 -s rr -o
-A -u 192.0.2.10:5060 -s rr -p 300 --pe sip -o
-A --sctp-service 192.0.2.9:3868 -s wrr -b flag-1,flag-3
-A -t [2001:db8::80]:80 -s rr -p 50 -M 64
-a -t [2001:db8::80]:80 -r [2001:db8::a0a0]:8080 -m -w 100
-A -f 1 -s rr -b flag-3
-a -f 1 -r 10.0.0.1:0 -m -w 1
-A -f 7 -s sh -p 50 -b sh-fallback
-A -f 7 -6 -s sh -p 50 -M 64 -b sh-fallback
-a -f 7 -6 -r [2001:db8::a0a0]:8080 -m -w 100
`

func service(f ipvs.ServiceID, scheduler string, flags ipvs.SchedFlags) ipvs.Service {
	s := ipvs.NewService(f)
	s.Scheduler, s.SchedFlags = scheduler, flags
	return s
}

func at(p ipvs.Protocol, addr string) ipvs.ServiceID {
	return ipvs.AddressService(p, netip.MustParseAddrPort(addr))
}

func real(addr string, f ipvs.Forward, weight uint32, tunnel ipvs.Tunnel) ipvs.Server {
	return ipvs.Server{Addr: netip.MustParseAddrPort(addr), Forward: f, Weight: weight, Tunnel: tunnel}
}

// ruled are the same rules as values.
func ruled() []ipvs.Entry {
	entry := func(s ipvs.Service, servers ...ipvs.Server) ipvs.Entry {
		e := ipvs.Entry{ServiceState: ipvs.ServiceState{Service: s}}
		for _, rs := range servers {
			e.Servers = append(e.Servers, ipvs.ServerState{Server: rs})
		}
		return e
	}
	persistent := func(s ipvs.Service, timeout uint32, mask ipvs.Mask, engine string, ops bool) ipvs.Service {
		s.OnePacket = ops
		s.Persistence = ipvs.Persistence{On: true, Timeout: timeout, Mask: mask, Engine: engine}
		return s
	}
	dns := service(at(ipvs.UDP, "192.0.2.10:53"), "rr", 0)
	dns.OnePacket = true
	none := ipvs.Tunnel{}
	return []ipvs.Entry{
		entry(service(at(ipvs.TCP, "192.0.2.9:80"), "mh", 3), real("192.168.100.101:8080", ipvs.Masq, 65535, none)),
		entry(persistent(service(at(ipvs.TCP, "192.0.2.10:443"), "wlc", 0), 360, 0xffffff00, "", false),
			real("10.0.0.2:443", ipvs.Direct, 1, none),
			real("10.0.0.3:443", ipvs.TunnelFwd, 5, ipvs.Tunnel{Type: ipvs.GUE, Port: 6080, Flags: ipvs.TunnelChecksum}),
			real("10.0.0.4:443", ipvs.TunnelFwd, 5, ipvs.Tunnel{Type: ipvs.GRE}),
			real("10.0.0.6:443", ipvs.TunnelFwd, 0, ipvs.Tunnel{Type: ipvs.GUE, Port: 1, Flags: ipvs.TunnelRemoteChecksum}),
			real("[2001:db8::5]:443", ipvs.TunnelFwd, 5, none)),
		entry(dns),
		entry(persistent(service(at(ipvs.UDP, "192.0.2.10:5060"), "rr", 0), 300, 0xffffffff, "sip", true)),
		entry(service(at(ipvs.SCTP, "192.0.2.9:3868"), "wrr", 5)),
		entry(persistent(service(at(ipvs.TCP, "[2001:db8::80]:80"), "rr", 0), 50, 64, "", false), real("[2001:db8::a0a0]:8080", ipvs.Masq, 100, none)),
		entry(service(ipvs.MarkService(1, ipvs.IPv4), "rr", 4), real("10.0.0.1:0", ipvs.Masq, 1, none)),
		entry(persistent(service(ipvs.MarkService(7, ipvs.IPv4), "sh", 1), 50, 0xffffffff, "", false)),
		entry(persistent(service(ipvs.MarkService(7, ipvs.IPv6), "sh", 1), 50, 64, "", false), real("[2001:db8::a0a0]:8080", ipvs.Masq, 100, none)),
	}
}

func write(t testing.TB, c *Client, entries []ipvs.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := c.AddService(t.Context(), e.Service); err != nil {
			t.Fatal(err)
		}
		for _, s := range e.Servers {
			if err := c.AddServer(t.Context(), e.ServiceID, s.Server); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// lines is a text's lines in order, since ipvsadm's own order is broken.
func lines(text string) []string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	for i := range all {
		all[i] = strings.TrimRight(all[i], " ")
	}
	slices.Sort(all)
	return all
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if !slices.Equal(want, got) {
		t.Errorf("%s:\nwant\n%s\ngot\n%s", what, strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}

func TestIpvsadmReadsOurs(t *testing.T) {
	h := director(t)
	c := openOn(t, h)
	write(t, c, ruled())
	same(t, "ipvsadm -Sn", lines(rules), lines(h.Ipvsadm("-Sn")))

	s := real("10.0.0.2:443", ipvs.Direct, 70000, ipvs.Tunnel{})
	s.Upper, s.Lower = 1000, 900
	if err := c.SetServer(t.Context(), at(ipvs.TCP, "192.0.2.10:443"), s); err != nil {
		t.Fatal(err)
	}
	thresholds := h.Ipvsadm("-Ln", "--thresholds")
	if !strings.Contains(thresholds, "-> 10.0.0.2:443                 1000       900        0          0") {
		t.Errorf("ipvsadm -Ln --thresholds lacks 1000 and 900:\n%s", thresholds)
	}
	tunnels := h.Ipvsadm("-Ln", "--tun-info")
	for _, want := range []string{"gue:6080:+c", "gue:1:r+c", "gre:-c", "ipip", "70000"} {
		if !strings.Contains(tunnels, want) {
			t.Errorf("ipvsadm -Ln --tun-info lacks %q:\n%s", want, tunnels)
		}
	}
	if err := c.SetTimeouts(t.Context(), ipvs.Timeouts{TCP: 901, TCPFin: 121, UDP: 301}); err != nil {
		t.Fatal(err)
	}
	if got := h.Ipvsadm("-L", "--timeout"); got != "Timeout (tcp tcpfin udp): 901 121 301\n" {
		t.Errorf("ipvsadm -L --timeout: %s", got)
	}
}

func TestWeReadIpvsadms(t *testing.T) {
	h := director(t)
	c := openOn(t, h)
	for line := range strings.Lines(rules) {
		h.Ipvsadm(strings.Fields(line)...)
	}
	h.Ipvsadm("-e", "-t", "192.0.2.9:80", "-r", "192.168.100.101:8080", "-m", "-w", "9", "-x", "20", "-y", "10")
	h.Ipvsadm("--set", "5", "6", "7")
	want := ruled()
	rs := &want[0].Servers[0]
	rs.Weight, rs.Upper, rs.Lower = 9, 20, 10
	same(t, "what we read", tableLines(want), tableLines(readAll(t, c)))
	if got, err := c.Timeouts(t.Context()); err != nil || got != (ipvs.Timeouts{TCP: 5, TCPFin: 6, UDP: 7}) {
		t.Errorf("timeouts: %+v, %v", got, err)
	}
}

func TestDaemonsLikeIpvsadm(t *testing.T) {
	h := director(t)
	c := openOn(t, h)
	d := ipvs.Daemon{Role: ipvs.Master, Interface: "lo", SyncID: 3, MaxLen: 1400, Group: netip.MustParseAddr("239.0.0.9"), Port: 8900, TTL: 5}
	if err := c.StartDaemon(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	want := "master sync daemon (mcast=lo, syncid=3, maxlen=1400, group=239.0.0.9, port=8900, ttl=5)\n"
	if got := h.Ipvsadm("-L", "--daemon"); got != want {
		t.Errorf("ipvsadm -L --daemon:\n want %s got  %s", want, got)
	}
	h.Ipvsadm("--stop-daemon", "master")
	h.Ipvsadm("--start-daemon", "backup", "--mcast-interface", "lo", "--syncid", "9", "--mcast-port", "9000", "--mcast-ttl", "2",
		"--sync-maxlen", "1500", "--mcast-group", "ff05::9")
	d = ipvs.Daemon{Role: ipvs.Backup, Interface: "lo", SyncID: 9, MaxLen: 1500, Group: netip.MustParseAddr("ff05::9"), Port: 9000, TTL: 2}
	if got, err := c.Daemons(t.Context()); err != nil || len(got) != 1 || got[0] != d {
		t.Errorf("want %+v\n got %+v, %v", d, got, err)
	}
}

// readAll is the whole table with all of every server.
func readAll(t *testing.T, c *Client) []ipvs.Entry {
	t.Helper()
	o, err := c.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range o.Services {
		e := &o.Services[i]
		if e.Servers, err = c.Servers(t.Context(), e.ServiceID); err != nil {
			t.Fatal(err)
		}
	}
	return o.Services
}

func tableLines(entries []ipvs.Entry) (all []string) {
	for _, e := range entries {
		all = append(all, fmt.Sprintf("%s %+v", e.ServiceState, e.Service))
		for _, s := range e.Servers {
			all = append(all, fmt.Sprintf("%s %+v", e.ServiceState, s.Server))
		}
	}
	slices.Sort(all)
	return all
}

// moby/ipvs is the second reader, of the fields it does not lose.
func TestMobyReadsOurs(t *testing.T) {
	h := director(t)
	c := openOn(t, h)
	write(t, c, ruled())
	var moby *libipvs.Handle
	var err error
	h.Do(func() { moby, err = libipvs.New("") })
	if err != nil {
		t.Fatal(err)
	}
	defer moby.Close()
	services, err := moby.GetServices()
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, s := range services {
		name := fmt.Sprintln(s.AddressFamily, s.Protocol, s.Address, s.Port, s.FWMark)
		got = append(got, fmt.Sprintln(name, s.SchedName, s.Timeout, s.Flags&^2))
		servers, err := moby.GetDestinations(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range servers {
			got = append(got, fmt.Sprintln(name, d.AddressFamily, d.Address, d.Port, d.Weight, d.ConnectionFlags, d.UpperThreshold, d.LowerThreshold))
		}
	}
	for _, e := range ruled() {
		ip := "<nil>"
		if !e.IsMark() {
			ip = e.Addr.String()
		}
		name := fmt.Sprintln(uint16(e.Family), uint16(e.Protocol), ip, e.Port, e.Mark)
		flags := uint32(e.SchedFlags) << 3
		if e.OnePacket {
			flags |= 4
		}
		if e.Persistence.On {
			flags |= 1
		}
		want = append(want, fmt.Sprintln(name, e.Scheduler, e.Persistence.Timeout, flags))
		for _, s := range e.Servers {
			want = append(want, fmt.Sprintln(name, uint16(s.Family()), s.Addr.Addr(), s.Addr.Port(), s.Weight, uint32(s.Forward), s.Upper, s.Lower))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	same(t, "what moby/ipvs reads", want, got)
}

// The text shows the same as netlink, as far as it goes.
func TestProcAgainstNetlink(t *testing.T) {
	h := director(t)
	c := openOn(t, h)
	write(t, c, ruled())
	var r *proc.Reader
	var err error
	h.Do(func() { r, err = proc.Open() })
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	theirs, err := r.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := c.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range ours.Services { // what the text does not hold
		s := &ours.Services[i]
		s.SchedFlags, s.Persistence.Engine = 0, ""
	}
	same(t, "the text", tableLines(ours.Services), tableLines(theirs.Services))
	if theirs.Stats != ours.Stats || theirs.LivePackets != ours.LivePackets {
		t.Errorf("totals: %+v, by netlink %+v", theirs.Stats, ours.Stats)
	}
	servers, err := r.Servers(t.Context(), at(ipvs.TCP, "192.0.2.10:443"))
	if err != nil || len(servers) != 5 {
		t.Errorf("want 5 servers, got %d, %v", len(servers), err)
	}
	want, err := c.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Info(t.Context()); err != nil || got != want {
		t.Errorf("info: want %+v, got %+v, %v", want, got, err)
	}
	h.Sysctl("net.ipv4.vs.run_estimation", "0")
	for _, reader := range []ipvs.Reader{r, c} {
		if got, err := reader.Info(t.Context()); err != nil || !got.EstimatorOff {
			t.Errorf("%T should see the estimator off: %+v, %v", reader, got, err)
		}
	}
	if _, err := r.Timeouts(t.Context()); !errors.Is(err, ipvs.ErrPermission) {
		t.Errorf("timeouts from the text: %v", err)
	}
}
