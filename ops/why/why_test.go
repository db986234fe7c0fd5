package why

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
	"lvsdeck/persist"
)

var (
	vip  = netip.MustParseAddr("203.0.113.10")
	http = ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(vip, 80))
	rip  = map[ipvs.Forward]string{ipvs.Masq: "10.0.3.", ipvs.Direct: "203.0.113.", ipvs.TunnelFwd: "192.0.2."}
)

// site is a director in memory with one service of two servers.
type site struct {
	t      *testing.T
	mode   ipvs.Forward
	host   *netcfg.Memory
	table  *memory.Table
	change func(*check.Scene) // of what was looked at
	from   Sources
}

func (s *site) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func newSite(t *testing.T, mode ipvs.Forward) *site {
	s := &site{t: t, mode: mode, host: netcfg.New(), table: memory.New(), change: func(*check.Scene) {}}
	s.from = Sources{Scene: s.scene}
	s.ok(s.host.Add(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)}))
	s.ok(s.host.Set("net/ipv4/conf/eth1/forwarding", "1"))
	s.ok(s.table.AddService(t.Context(), ipvs.NewService(http)))
	for n := range 2 {
		s.ok(s.table.AddServer(t.Context(), http, ipvs.Server{Addr: s.server(n), Forward: mode, Weight: 1}))
	}
	return s
}

func (s *site) server(n int) netip.AddrPort {
	return netip.MustParseAddrPort(fmt.Sprintf("%s%d:80", rip[s.mode], 11+n))
}

func (s *site) scene(ctx context.Context, _ ipvs.ServiceID) (check.Scene, error) {
	if err := ctx.Err(); err != nil {
		return check.Scene{}, err
	}
	sampler := ops.NewSampler(s.table, ops.Options{})
	sampler.FocusAll()
	scene, err := check.Gather(ctx, check.Sources{Host: s.host, Table: s.table}, sampler.Observe(ctx, noon))
	s.change(&scene)
	return scene, err
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ask walks, and gives the answers by topic.
func (s *site) ask(server int, probing bool) (Verdict, map[string]Answer) {
	s.t.Helper()
	at := check.Place{Service: http}
	if server >= 0 {
		at.Server = s.server(server)
	}
	answers := map[string]Answer{}
	v, err := Begin(s.from, at, probing).All(s.t.Context(), func(a Answer) { answers[a.Topic] = a })
	s.ok(err)
	if len(v.Answers) != len(questions) || len(answers) != len(questions) {
		s.t.Errorf("%d answers of %d questions", len(v.Answers), len(questions))
	}
	for _, a := range v.Answers {
		if a.Says == "" || a.Question == "" || strings.ContainsAny(a.Says, "\n") {
			s.t.Errorf("an answer without words: %+v", a)
		}
	}
	return v, answers
}

// marks are the topics with a mark, in their order.
func marks(v Verdict, of ...Mark) string {
	var topics []string
	for _, a := range v.Answers {
		if slices.Contains(of, a.Mark) {
			topics = append(topics, a.Topic)
		}
	}
	return strings.Join(topics, ", ")
}

// weigh gives servers a weight.
func (s *site) weigh(weight uint32, servers ...int) {
	s.t.Helper()
	for _, n := range servers {
		s.ok(s.table.SetServer(s.t.Context(), http, ipvs.Server{Addr: s.server(n), Forward: s.mode, Weight: weight}))
	}
}

// TestWalks: each failure is the answer to its question.
func TestWalks(t *testing.T) {
	const nat, dr, tun = ipvs.Masq, ipvs.Direct, ipvs.TunnelFwd
	halfOpen := func(n int) func(*site) {
		return func(s *site) {
			s.change = func(c *check.Scene) {
				c.Loads = &check.Loads{Servers: map[check.Place]check.Load{}, Asking: map[ipvs.ServiceID]check.Clients{http: {Number: 7}}}
				c.Lately = map[check.Place]check.Moved{}
				for i := range n {
					c.Lately[check.Place{Service: http, Server: s.server(i)}] = check.Moved{Traffic: ipvs.Traffic{Conns: 10, InPackets: 30}, For: 10 * time.Second}
					c.Loads.Servers[check.Place{Service: http, Server: s.server(i)}] = check.Load{Conns: 10, Fresh: 10, HalfOpen: 10}
				}
			}
		}
	}
	for _, c := range []struct {
		name   string
		mode   ipvs.Forward
		server int // that is asked about, -1: the service
		harm   func(*site)
		bad    string // topics
		why    string // the first finding's check, "": none
		says   map[string]string
	}{
		{"nothing", nat, -1, func(*site) {}, "", "", map[string]string{
			"way back": "routes answers on", "firewall": "no rules", "answers": "no packet was sent", "traffic": "no packet comes in", "one or all": "no server stands out",
		}},
		{"nothing under DR", dr, -1, func(*site) {}, "", "", map[string]string{"way back": "servers of DR answer clients themselves", "way there": "on its segment"}},
		{"nothing under TUN", tun, 1, func(*site) {}, "", "", map[string]string{"servers": "it takes new connections, one of 2"}},
		{"VIP missing", dr, -1, func(s *site) {
			s.ok(s.host.Remove(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)}))
		}, "traffic", "vip", map[string]string{"traffic": "the VIP 203.0.113.10 is not on this director"}},
		{"link down", dr, -1, func(s *site) {
			s.change = func(c *check.Scene) {
				i := slices.IndexFunc(c.Links, func(l netcfg.Link) bool { return l.Name == "eth0" })
				c.Links[i].Up = false
			}
		}, "traffic", "link", map[string]string{"traffic": "eth0, by which clients come, is switched off"}},
		{"weight 0", tun, -1, func(s *site) { s.weigh(0, 0, 1) }, "servers", "no server", map[string]string{"servers": "no server takes new connections"}},
		{"one drained", nat, 0, func(s *site) { s.weigh(0, 0) }, "", "", map[string]string{"servers": "it is drained"}},
		{"forwarding off", nat, -1, func(s *site) { s.ok(s.host.Set("net/ipv4/conf/eth1/forwarding", "0")) }, "way back", "forwarding", map[string]string{"way back": "forwarding is off on eth1"}},
		{"forwarding off under DR", dr, -1, func(s *site) { s.ok(s.host.Set("net/ipv4/conf/eth1/forwarding", "0")) }, "", "", nil},
		{"INPUT drops", tun, -1, func(s *site) { s.host.PutFirewall(false, "*filter\n:INPUT DROP [0:0]\nCOMMIT\n") }, "firewall", "firewall", map[string]string{"firewall": "INPUT"}},
		{"one server stopped by a rule", nat, 0, func(s *site) {
			s.host.PutFirewall(false, "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -s 10.0.3.12/32 -j DROP\nCOMMIT\n")
		}, "", "", map[string]string{"one or all": "one of 2, 10.0.3.12:80", "firewall": "no rule stops"}},
		{"no handshake ends", dr, -1, halfOpen(2), "handshakes", "half-open", map[string]string{"one or all": "all 2"}},
		{"with one no handshake ends", dr, -1, halfOpen(1), "handshakes", "half-open", map[string]string{"one or all": "one of 2, 203.0.113.11:80"}},
		{"symptom and cause", nat, -1, func(s *site) {
			halfOpen(2)(s)
			s.ok(s.host.Set("net/ipv4/conf/eth1/forwarding", "0"))
		}, "handshakes, way back", "forwarding", nil},
		{"no route", tun, -1, func(s *site) {
			s.change = func(c *check.Scene) { c.Ways[s.server(1).Addr()] = check.Way{None: "network is unreachable"} }
		}, "way there", "route", map[string]string{"way there": "192.0.2.12:80: no route"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.mode)
			c.harm(s)
			v, answers := s.ask(c.server, false)
			if got := marks(v, Bad); got != c.bad {
				t.Errorf("bad: %q, want %q\n%+v", got, c.bad, v.Answers)
			}
			for topic, says := range c.says {
				if !strings.Contains(answers[topic].Says, says) {
					t.Errorf("%s: %q, want %q", topic, answers[topic].Says, says)
				}
			}
			first := ""
			if v.Wrong() {
				first = v.Findings[0].Check
			}
			if first != c.why || v.Wrong() == (len(v.Next) > 0) {
				t.Errorf("why: %q, want %q; next %q", first, c.why, v.Next)
			}
			if len(v.Captures) != 3 {
				t.Errorf("captures: %v", v.Captures)
			}
		})
	}
}

// TestProbesAreAnswers: what servers say, and who else has the VIP.
func TestProbesAreAnswers(t *testing.T) {
	s := newSite(t, ipvs.Direct)
	sent, weight := 0, uint32(1)
	fine := probe.Finding{Verdict: probe.Fine, Cause: probe.Answers, Short: "answers"}
	alone := probe.Finding{Verdict: probe.Fine, Cause: probe.Alone, Short: "nobody else answers for it"}
	says := []probe.Finding{fine, fine} // of each server that is asked
	vip := []probe.Finding{alone}
	s.from.Probe = func(_ context.Context, scene check.Scene) (asked check.Asked, err error) {
		sent++
		if len(scene.Sample.Services) != 1 || scene.Sample.Services[0].ServiceID != http {
			t.Errorf("asked about %v", scene.Sample.Services)
		}
		for n, f := range says {
			target := probe.Target{VIP: netip.AddrPortFrom(http.Addr, http.Port), Protocol: http.Protocol, Server: ipvs.Server{Addr: s.server(n), Forward: ipvs.Direct, Weight: weight}}
			asked.Servers = append(asked.Servers, probe.Result{Target: target, Finding: f})
		}
		for _, f := range vip {
			asked.VIPs = append(asked.VIPs, check.AskedVIP{Service: http, Finding: f})
		}
		return asked, nil
	}
	if v, a := s.ask(-1, false); sent > 0 || v.Probed || a["answers"].Mark != Unknown || a["the VIP"].Mark != Unknown {
		t.Errorf("without being asked to: %v %+v", sent, v)
	}
	if v, a := s.ask(-1, true); sent != 1 || !v.Probed || a["answers"].Says != "all 2 answer as they should" || a["the VIP"].Mark != Fine {
		t.Errorf("%v %+v", sent, v)
	}
	says, vip = says[:1], nil
	if _, a := s.ask(-1, true); a["answers"].Mark != Unknown || a["answers"].Says != "1 of 2 were asked: answers" || a["the VIP"].Mark != Unknown {
		t.Errorf("%+v", a)
	}
	if _, a := s.ask(1, true); a["answers"].Mark != Unknown || a["answers"].Says != "0 of 1 were asked" {
		t.Errorf("of the one that was not: %+v", a)
	}
	says = []probe.Finding{fine, {Verdict: probe.Fault, Cause: probe.VIPMissing, Short: "lacks the VIP", Evidence: []string{"silence"}}}
	vip = []probe.Finding{{Verdict: probe.Warning, Cause: probe.Nowhere, Short: "taken", Evidence: []string{"00:00:5e"}}}
	v, a := s.ask(-1, true)
	if a["answers"].Mark != Bad || !strings.Contains(a["answers"].Says, "203.0.113.12:80: lacks the VIP") || a["the VIP"].Mark != Look || len(v.Findings) != 2 {
		t.Errorf("%+v", v)
	}
	if v.Relief == nil || !strings.Contains(v.Relief.Commands(), "-r 203.0.113.12:80 -g -w 0") || len(v.Relief.Items) != 1 {
		t.Errorf("relief: %+v", v.Relief)
	}
	if v, _ := s.ask(0, true); len(v.Findings) != 1 || v.Findings[0].Check != check.OfVIP {
		t.Errorf("of the other server: %+v", v.Findings)
	}
	s.weigh(0, 0)
	if v, _ := s.ask(-1, true); v.Relief != nil {
		t.Errorf("the last server would be drained: %+v", v.Relief)
	}
	s.weigh(1, 0)
	weight = 0
	s.weigh(0, 1)
	vip[0] = alone
	if v, _ := s.ask(-1, true); v.Wrong() || !v.Relieved || len(v.Findings) != 1 || v.Findings[0].Severity != check.Notice {
		t.Errorf("of one that is drained: %+v", v)
	}
	s.from.Probe = func(context.Context, check.Scene) (a check.Asked, err error) { return a, errors.New("refused") }
	if _, err := Begin(s.from, check.Place{Service: http}, true).All(t.Context(), func(Answer) {}); err == nil || err.Error() != "refused" {
		t.Errorf("a probe that cannot be made: %v", err)
	}
}

// TestWhatHasBecomeOfIt: a walk after another says what has become of what was found.
func TestWhatHasBecomeOfIt(t *testing.T) {
	s := newSite(t, ipvs.Masq)
	at := check.Place{Service: http}
	walk := func(after *Verdict) *Verdict {
		v, err := Begin(s.from, at, false).After(after).All(t.Context(), func(Answer) {})
		s.ok(err)
		return &v
	}
	is := func(what string, v *Verdict, sum string, first ...string) {
		t.Helper()
		var found []string
		for _, f := range v.Findings {
			found = append(found, f.Severity.String()+" "+f.Check)
		}
		if v.Sum() != sum || !slices.Equal(found, first) {
			t.Errorf("%s: %s %q", what, v.Sum(), found)
		}
	}
	const nothing, relieved = "Nothing that explains it is seen from here. Look next:", "Relieved: no new clients go to it. Still broken:"
	is("at first", walk(walk(nil)), nothing)

	silent := netcfg.Neighbour{Link: "eth1", Addr: s.server(1).Addr(), Failed: true}
	s.host.PutNeighbour(silent)
	v := walk(nil)
	is("silent", v, "This may be why:", "warning neighbour")
	s.weigh(0, 1)
	v = walk(v)
	is("drained", v, relieved, "notice neighbour")
	if len(v.Next) != 1 {
		t.Errorf("next: %q", v.Next)
	}
	is("drained by somebody", walk(nil), relieved, "notice neighbour")
	s.weigh(1, 1)
	is("not drained any more", walk(v), "This may be why:", "warning neighbour")
	silent.Failed, silent.MAC = false, "02:00:00:00:00:01"
	s.host.PutNeighbour(silent)
	v = walk(v)
	is("mended", v, "Mended: what was found before is not seen any more, and nothing else is wrong.")
	if len(v.Next) > 0 {
		t.Errorf("next: %q", v.Next)
	}
	is("afterwards", walk(v), nothing)

	dead := check.Finding{Check: check.OfServer, Severity: check.Fault, Service: http, Server: s.server(0), Short: "nothing listens", Evidence: []string{"RST"}, Means: "."}
	v = &Verdict{Findings: []check.Finding{dead}, standing: []check.Finding{dead}}
	is("of a probe, not asked again", walk(v), "This is why:", "fault probe")
	s.weigh(0, 0)
	v = walk(walk(v))
	is("of a probe, drained", v, relieved, "notice probe")
	s.weigh(1, 0)
	is("of a probe, not drained any more", walk(v), "This is why:", "fault probe")
}

// TestPingsAreNoService: that a server of UDP answers pings does not tell whether its
// service does.
func TestPingsAreNoService(t *testing.T) {
	s := newSite(t, ipvs.Masq)
	dns := ipvs.AddressService(ipvs.UDP, netip.AddrPortFrom(vip, 53))
	s.ok(s.table.AddService(t.Context(), ipvs.NewService(dns)))
	for n := range 2 {
		s.ok(s.table.AddServer(t.Context(), dns, ipvs.Server{Addr: s.server(n), Forward: s.mode, Weight: 1}))
	}
	const says = "it answers pings; whether its UDP service does cannot be known"
	s.from.Probe = func(context.Context, check.Scene) (asked check.Asked, err error) {
		for n := range 2 {
			target := probe.Target{VIP: netip.AddrPortFrom(dns.Addr, dns.Port), Protocol: ipvs.UDP, Server: ipvs.Server{Addr: s.server(n)}}
			asked.Servers = append(asked.Servers, probe.Result{Target: target, Finding: probe.Finding{Verdict: probe.Fine, Cause: probe.Answers, Short: says}})
		}
		return asked, nil
	}
	for at, want := range map[check.Place]string{
		{Service: dns}:                      "2 of 2 were asked: " + says,
		{Service: dns, Server: s.server(0)}: says,
	} {
		_, err := Begin(s.from, at, true).All(t.Context(), func(a Answer) {
			if a.Topic == "answers" && (a.Mark != Unknown || a.Says != want) {
				t.Errorf("%+v, want %q", a, want)
			}
		})
		s.ok(err)
	}
}

// TestTraffic: what comes in is told against the service's last minutes.
func TestTraffic(t *testing.T) {
	s := newSite(t, ipvs.Masq)
	for _, c := range []struct {
		conns, packets uint64
		usual          float32
		points         int
		mark           Mark
		says           string
	}{
		{0, 0, 40, 60, Look, "no packet comes in now"},
		{0, 1, 40, 60, Look, "no new connections, where 40/s are usual"},
		{10, 90, 40, 60, Look, "only 10 new connections/s, where 40 are usual"},
		{14, 90, 40, 60, Fine, "90 packets/s and 14 new connections/s come in"},
		{130, 900, 40, 60, Look, "130 new connections/s, where 40 are usual"},
		{130, 900, 40, 10, Fine, "900 packets/s and 130 new connections/s come in"}, // too short to tell
		{1, 9, 4, 60, Fine, "9 packets/s and 1 new connection/s come in"},           // too few
	} {
		s.change = func(scene *check.Scene) {
			v := scene.Sample.Services[0]
			v.Rate.Conns, v.Rate.InPackets = c.conns, c.packets
			v.Trend = &ops.Trend{Conns: slices.Repeat([]float32{c.usual}, c.points)}
		}
		v, a := s.ask(-1, false)
		if a["traffic"].Mark != c.mark || a["traffic"].Says != c.says {
			t.Errorf("%+v: %+v", c, a["traffic"])
		}
		if crowd := strings.Contains(strings.Join(v.Next, " "), "Far more connections come than usual"); crowd != (c.conns == 130 && c.mark == Look) {
			t.Errorf("%+v: next %q", c, v.Next)
		}
	}
	s.change = func(scene *check.Scene) { scene.Sample.EstimatorStopped = "net.ipv4.vs.run_estimation is 0" }
	if _, a := s.ask(-1, false); a["traffic"].Mark != Unknown {
		t.Errorf("%+v", a["traffic"])
	}
}

// TestShares: who gets new connections is told against the weights.
func TestShares(t *testing.T) {
	s := newSite(t, ipvs.Masq)
	s.ok(s.table.SetService(t.Context(), ipvs.Service{ServiceID: http, Scheduler: "wrr", Persistence: ipvs.NewService(http).Persistence}))
	s.change = func(c *check.Scene) {
		c.Longer = map[check.Place]check.Moved{}
		for n, conns := range []uint64{1009, 991} {
			c.Longer[check.Place{Service: http, Server: s.server(n)}] = check.Moved{Traffic: ipvs.Traffic{Conns: conns}, For: time.Minute}
		}
	}
	v, a := s.ask(-1, false)
	if got := a["shares"]; got.Mark != Fine || len(got.Evidence) != 2 || got.Evidence[0] != "10.0.3.11:80: weight 1 of 2, 1009 of 2000 new connections in 60 s (50 %)" || !strings.HasSuffix(got.Evidence[1], "(50 %)") {
		t.Errorf("%+v", got)
	}
	if got := marks(v, Bad, Look); got != "traffic" {
		t.Errorf("look: %s", got)
	}
	s.change = func(*check.Scene) {}
	if _, a := s.ask(-1, false); a["shares"].Mark != Unknown || a["shares"].Says != "too few new connections to judge by: 0" {
		t.Errorf("%+v", a["shares"])
	}
}

// TestChanges: the journal of the last hour, and what runs otherwise than saved.
func TestChanges(t *testing.T) {
	s := newSite(t, ipvs.Masq)
	entry := func(id string, ago time.Duration, steps ...plan.Step) *persist.Entry {
		p := plan.Plan{Title: "change " + id}
		for _, st := range steps {
			p.Items = append(p.Items, plan.Item{Step: st, Reason: "."})
		}
		raw, err := plan.Written(p.Items)
		s.ok(err)
		return &persist.Entry{Record: persist.Record{ID: id, Title: p.Title, Time: noon.Add(-ago), Steps: raw}}
	}
	one := ipvs.Server{Addr: s.server(0), Weight: 5}
	other := ipvs.NewService(ipvs.AddressService(ipvs.UDP, netip.AddrPortFrom(vip, 53)))
	h := plan.History{Entries: []*persist.Entry{
		entry("a", time.Minute, plan.ChangeService{After: &other}),
		entry("b", 12*time.Minute, plan.ChangeServer{Service: http, Before: &one, After: &one}),
		entry("c", 30*time.Minute, plan.ChangeSysctl{Name: "conntrack", Before: "0", After: "1"}),
		entry("d", 2*time.Hour, plan.ChangeServer{Service: http, After: &one}),
	}}
	s.from.History = func() (plan.History, error) { return h, nil }
	_, a := s.ask(-1, false)
	if got := a["changes"]; got.Mark != Look || got.Says != "2 changes, the last 12 min ago: change b" || len(got.Evidence) != 2 {
		t.Errorf("%+v", got)
	}
	if _, a := s.ask(1, false); a["changes"].Says != "1 change, the last 30 min ago: change c" {
		t.Errorf("of the other server: %+v", a["changes"])
	}
	h.Entries = nil
	saved := &keep.Comparison{}
	s.change = func(c *check.Scene) { c.Saved = saved }
	if _, a := s.ask(-1, false); a["changes"].Mark != Fine || !slices.Contains(a["changes"].Evidence, "it runs as it was saved") {
		t.Errorf("%+v", a["changes"])
	}
	saved.Plan = plan.Plan{Items: []plan.Item{{Step: plan.ChangeService{After: &other}}}}
	saved.Running.Services = []ipvs.ServiceRules{{Service: other}}
	if v, _ := s.ask(-1, false); len(v.Findings) != 1 || !strings.Contains(v.Findings[0].Means, "Do not save them before every service has a server with a weight") {
		t.Errorf("another service has no server: %+v", v.Findings)
	}
	if _, a := s.ask(-1, false); a["changes"].Mark != Fine || a["the rest"].Says != "the saved rules are not those that run" || !slices.Contains(a["changes"].Evidence, "it runs as it was saved; 1 line of the saved rules differs elsewhere") {
		t.Errorf("%+v", a["changes"])
	}
	s.from.Saved = func(context.Context) (*keep.Comparison, error) { return &keep.Comparison{}, nil }
	if _, a := s.ask(-1, false); !slices.Contains(a["changes"].Evidence, "it runs as it was saved") {
		t.Errorf("by a reading of its own: %+v", a["changes"])
	}
	s.from.Saved = nil
	saved.Plan = plan.Plan{Items: []plan.Item{{Step: plan.ChangeServer{Service: http, After: &one}}}}
	if _, a := s.ask(-1, false); a["changes"].Mark != Look || !strings.Contains(strings.Join(a["changes"].Evidence, "\n"), "to be as it was saved, it would take: add 10.0.3.11:80 of") {
		t.Errorf("%+v", a["changes"])
	}
}

// TestNoSuchRow names what is not there.
func TestNoSuchRow(t *testing.T) {
	s := newSite(t, ipvs.Masq)
	for want, at := range map[string]check.Place{
		"UDP 203.0.113.10:80: the table has no such service":   {Service: ipvs.AddressService(ipvs.UDP, netip.AddrPortFrom(vip, 80))},
		"10.0.3.99:80: TCP 203.0.113.10:80 has no such server": {Service: http, Server: netip.MustParseAddrPort("10.0.3.99:80")},
	} {
		if _, err := Begin(s.from, at, false).Next(t.Context()); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Begin(s.from, check.Place{Service: http}, false).Next(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}
