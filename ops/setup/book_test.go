package setup

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// state is all of the director.
func (s *site) state() string {
	s.Helper()
	var rules strings.Builder
	s.ok(keep.Print(ctx, s.table, &rules))
	return fmt.Sprintf("%+v\n%s", s.host, &rules)
}

// same compares two states and shows only where they differ.
func (s *site) same(when, was string) {
	s.Helper()
	is := s.state()
	if is == was {
		return
	}
	i := 0
	for i < min(len(is), len(was)) && is[i] == was[i] {
		i++
	}
	from := max(0, i-80)
	s.Errorf("%s: the director differs: was …%.200s, is …%.200s", when, was[from:], is[from:])
}

func (s *site) setUp(w Wish) plan.Result {
	s.Helper()
	d, err := s.draft(w)
	s.ok(err)
	r, err := s.Apply(ctx, d, 0, nil)
	s.ok(errors.Join(err, r.Warning))
	return r
}

func (s *site) unset(ids ...ipvs.ServiceID) Return {
	s.Helper()
	back, err := s.Unset(ctx, nil, ids...)
	s.ok(err)
	r, err := s.Go(ctx, back, 0, nil)
	s.ok(errors.Join(err, r.Warning))
	if r.Outcome != plan.Applied {
		s.Fatalf("unset: %s", r.Outcome)
	}
	return back
}

// known lists what the book has.
func (s *site) known(want ...Wish) {
	s.Helper()
	records, err := s.List()
	s.ok(err)
	var got []string
	for _, r := range records {
		got = append(got, r.Wish.Service.String())
	}
	var names []string
	for _, w := range want {
		names = append(names, w.Service.String())
	}
	if slices.Sort(names); !slices.Equal(got, names) {
		s.Errorf("the book has %q, want %q", got, names)
	}
}

// TestThereAndBack: each mode is applied, is so already the second time, and goes
// without a trace.
func TestThereAndBack(t *testing.T) {
	for _, family := range []ipvs.Family{ipvs.IPv4, ipvs.IPv6} {
		for _, mode := range Modes {
			for _, arms := range []int{1, 2} {
				t.Run(fmt.Sprintf("%s/%v/%d", mode, family, arms), func(t *testing.T) {
					s := newSite(t, family, arms)
					w := usual(t, mode, family, arms, 80)
					before := s.state()
					if r := s.setUp(w); r.Outcome != plan.Applied || nothingToDo(states(r)) {
						t.Errorf("%s, %v", r.Outcome, states(r))
					}
					s.known(w)
					after := s.state()
					if r := s.setUp(w); r.ID != "" || !nothingToDo(states(r)) {
						t.Errorf("the second time: %v", states(r))
					}
					s.same("set up twice", after)
					s.known(w)
					s.unset(w.Service)
					s.same("unset", before)
					s.known()
					if _, err := s.Unset(ctx, nil, w.Service); err == nil || !strings.Contains(err.Error(), "no set-up of "+w.Service.String()) {
						t.Errorf("unset twice: %v", err)
					}
				})
			}
		}
	}
}

func states(r plan.Result) (all []plan.State) {
	for _, s := range r.Steps {
		all = append(all, s.State)
	}
	return all
}

// usual is a wish that fits a site.
func usual(t *testing.T, mode Mode, family ipvs.Family, arms int, port int) Wish {
	far, near := "10.0.3", "203.0.113"
	if family == ipvs.IPv6 {
		far, near = "2001:db8:3:", "2001:db8:2:"
	}
	net := far
	if mode == DR || arms == 1 && mode != TUN {
		net = near
	}
	sep := map[ipvs.Family]string{ipvs.IPv4: ".", ipvs.IPv6: ":"}[family]
	vip := fmt.Sprintf("%s:%d", netip.MustParseAddr(near+sep+"10"), port)
	if family == ipvs.IPv6 {
		vip = fmt.Sprintf("[%s]:%d", netip.MustParseAddr(near+sep+"10"), port)
	}
	return wish(t, mode, vip, net+sep+"11", net+sep+"12,3")
}

// TestShared: what two set-ups need goes with the last of them, in either order.
func TestShared(t *testing.T) {
	for _, first := range []int{0, 1} {
		s := newSite(t, ipvs.IPv4, 2)
		before := s.state()
		wishes := []Wish{usual(t, NAT, ipvs.IPv4, 2, 80), usual(t, FullNAT, ipvs.IPv4, 2, 443)}
		s.setUp(wishes[0])
		s.setUp(wishes[1])
		back := s.unset(wishes[first].Service)
		if text := strings.Join(back.Notes, "\n"); first == 0 && !strings.Contains(text, "address 203.0.113.10/32 on eth0 stays: the set-up of "+wishes[1-first].Service.String()+" needs it.") {
			t.Errorf("notes: %s", text)
		}
		s.known(wishes[1-first])
		if r := s.setUp(wishes[1-first]); !nothingToDo(states(r)) {
			t.Errorf("the other one lost something: %v", states(r))
		}
		s.unset(wishes[1-first].Service)
		s.same("both unset", before)
	}
	s := newSite(t, ipvs.IPv4, 2)
	before := s.state()
	a, b := usual(t, NAT, ipvs.IPv4, 2, 80), usual(t, NAT, ipvs.IPv4, 2, 443)
	s.setUp(a)
	s.setUp(b)
	s.unset(a.Service)
	h, err := plan.ReadHistory(s.Runner.Store)
	s.ok(err)
	_, err = s.Runner.Undo(ctx, h.Entries[0].ID, nil) // both have what they share
	s.ok(err)
	if back := s.unset(b.Service, a.Service); len(back.Plan.Items) != 6 {
		t.Errorf("both at once: %s", back.Plan.Commands())
	}
	s.same("both at once", before)
}

// TestRouterListens: as long as one set-up makes a router of the director, it
// listens to router advertisements as before.
func TestRouterListens(t *testing.T) {
	s := newSite(t, ipvs.IPv6, 2)
	a, b := usual(t, NAT, ipvs.IPv6, 2, 80), usual(t, FullNAT, ipvs.IPv6, 2, 443)
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() { s.setUp(a) }, "2"}, {func() { s.setUp(b) }, "2"}, {func() { s.unset(a.Service) }, "2"}, {func() { s.unset(b.Service) }, "1"},
	} {
		step.do()
		if got, err := s.host.Get(acceptRA("eth0")); err != nil || got != step.want {
			t.Errorf("accept_ra is %s, %v, not %s", got, err, step.want)
		}
	}
}

// TestWhatWasThere stays: of a service, an address and settings that others made,
// set-up takes back only what it added.
func TestWhatWasThere(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	w := usual(t, NAT, ipvs.IPv4, 2, 80)
	s.ok(s.host.Add(netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.10/24")}))
	s.ok(s.host.Set("net/ipv4/ip_forward", "1"))
	s.ok(s.table.AddService(ctx, ipvs.NewService(w.Service)))
	s.ok(s.table.AddServer(ctx, w.Service, ipvs.Server{Addr: netip.MustParseAddrPort("10.0.3.11:80"), Weight: 1}))
	before := s.state()
	r := s.setUp(w)
	if n := len(r.Steps); r.Steps[n-1].State != plan.Done || r.Steps[n-2].State != plan.Already || r.Steps[n-3].State != plan.Already || r.Steps[n-4].State != plan.Already {
		t.Errorf("steps: %v", states(r))
	}
	s.unset(w.Service)
	s.same("unset", before)
}

// TestChangedSince: the service goes as it is now, and the notes say how it
// changed. A setting that somebody changed stays, and an address that another
// service uses.
func TestChangedSince(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	w := usual(t, NAT, ipvs.IPv4, 2, 80)
	s.setUp(w)
	s.ok(s.table.SetServer(ctx, w.Service, ipvs.Server{Addr: netip.MustParseAddrPort("10.0.3.11:80"), Weight: 50}))
	s.ok(s.table.AddServer(ctx, w.Service, ipvs.Server{Addr: netip.MustParseAddrPort("10.0.3.13:80"), Weight: 1}))
	other := w.Service
	other.Port = 8443
	s.ok(s.table.AddService(ctx, ipvs.NewService(other)))
	s.ok(s.host.Set(netcfg.Conf("eth1", "send_redirects"), "2"))
	back := s.unset(w.Service)
	notes := strings.Join(back.Notes, "\n")
	for _, want := range []string{
		"weight 1 to 50", "add 10.0.3.13:80", "TCP 203.0.113.10:8443 needs it",
		"net.ipv4.conf.eth1.send_redirects stays: somebody has changed it since.",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q: %s", want, notes)
		}
	}
	if rules, err := persist.ReadRules(ctx, s.table); err != nil || len(rules.Services) != 1 || rules.Services[0].ServiceID != other {
		t.Errorf("left: %v, %v", rules.Services, err)
	}
	if v, _ := s.host.Get(netcfg.Conf("eth1", "send_redirects")); v != "2" {
		t.Errorf("the setting is %s", v)
	}
	s.known()
}

// TestLinkGone: what went with a link needs no taking back.
func TestLinkGone(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	w := usual(t, NAT, ipvs.IPv4, 2, 80)
	w.Link = "lvs0"
	before := s.state()
	s.ok(s.host.Add(netcfg.Dummy{Name: "lvs0"}))
	s.ok(s.host.Add(netcfg.Up{Link: "lvs0"}))
	s.setUp(w)
	s.ok(s.host.Remove(netcfg.Dummy{Name: "lvs0"}))
	s.unset(w.Service)
	s.same("unset", before)
	s.known()
}

// TestMoreServers: a set-up that is repeated with more servers is one set-up.
func TestMoreServers(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	before := s.state()
	w := usual(t, NAT, ipvs.IPv4, 2, 80)
	less := w
	less.Servers = w.Servers[:1]
	s.setUp(less)
	more := s.setUp(w)
	_, err := s.Runner.Undo(ctx, more.ID, nil)
	s.ok(err)
	s.known(less)
	s.setUp(w)
	s.unset(w.Service)
	s.same("unset", before)
}

// TestUndone: the journal's undo of a set-up ends it, and that of an unset brings
// it back.
func TestUndone(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	before := s.state()
	w := usual(t, FullNAT, ipvs.IPv4, 2, 80)
	done := s.setUp(w)
	_, err := s.Runner.Undo(ctx, done.ID, nil)
	s.ok(err)
	s.known()
	s.same("undone", before)

	s.setUp(w)
	there := s.state()
	s.unset(w.Service)
	h, err := plan.ReadHistory(s.Runner.Store)
	s.ok(err)
	_, err = s.Runner.Undo(ctx, h.Entries[0].ID, nil)
	s.ok(err)
	s.known(w)
	s.same("brought back", there)
	s.unset(w.Service)
	s.same("unset", before)
	s.known()
}

// failing is a host that refuses one step.
type failing struct {
	netcfg.Settings
	n *int
}

var errRefused = errors.New("refused")

func (f failing) Add(s netcfg.Setting) error {
	return f.refuse(func() error { return f.Settings.Add(s) })
}

func (f failing) Remove(s netcfg.Setting) error {
	return f.refuse(func() error { return f.Settings.Remove(s) })
}

func (f failing) refuse(do func() error) error {
	if *f.n--; *f.n == 0 {
		return errRefused
	}
	return do()
}

// TestFailing: a step that fails leaves the director and the book as they were.
func TestFailing(t *testing.T) {
	w := usual(t, FullNAT, ipvs.IPv4, 2, 80)
	for n := 1; ; n++ {
		s := newSite(t, ipvs.IPv4, 2)
		before := s.state()
		left := n
		s.Runner.Target.Host = failing{s.host, &left}
		d, err := s.draft(w)
		s.ok(err)
		r, err := s.Apply(ctx, d, 0, nil)
		if left > 0 {
			s.ok(err)
			break
		}
		if !errors.Is(err, errRefused) || r.Outcome != plan.WentBack {
			t.Errorf("step %d: %s, %v", n, r.Outcome, err)
		}
		s.same("failed", before)
		s.known()
	}
	for n := 1; ; n++ {
		s := newSite(t, ipvs.IPv4, 2)
		s.setUp(w)
		left := n
		s.Runner.Target.Host = failing{s.host, &left}
		back, err := s.Unset(ctx, nil, w.Service)
		s.ok(err)
		r, err := s.Go(ctx, back, 0, nil)
		if left > 0 {
			s.ok(err)
			return
		}
		if !errors.Is(err, errRefused) || r.Outcome != plan.WentBack {
			t.Errorf("way back, step %d: %s, %v", n, r.Outcome, err)
		}
		s.known(w)
		if r := s.setUp(w); !nothingToDo(states(r)) {
			t.Errorf("way back, step %d: something is missing: %v", n, states(r))
		}
	}
}

// stopped stands for a timer that cannot be started.
type stopped struct{ told []plan.Outcome }

func (*stopped) Begun(string, plan.Plan) error { return errRefused }

func (s *stopped) Ended(r plan.Result) error {
	s.told = append(s.told, r.Outcome)
	return nil
}

// TestGuarded: a guard that refuses keeps all as it was.
func TestGuarded(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	before := s.state()
	guard := &stopped{}
	s.Runner.Guard = guard
	d, err := s.draft(usual(t, NAT, ipvs.IPv4, 2, 80))
	s.ok(err)
	if r, err := s.Apply(ctx, d, 0, nil); !errors.Is(err, errRefused) || r.Outcome != plan.NotBegun {
		t.Errorf("%s, %v", r.Outcome, err)
	}
	s.same("refused", before)
	s.known()
	if !slices.Equal(guard.told, []plan.Outcome{plan.NotBegun}) {
		t.Errorf("the guard was told %v", guard.told)
	}
}

// TestKilled: a set-up whose process dies half-way is known, and goes.
func TestKilled(t *testing.T) {
	w := usual(t, NAT, ipvs.IPv4, 2, 80)
	for step := range 7 {
		s := newSite(t, ipvs.IPv4, 2)
		before := s.state()
		d, err := s.draft(w)
		s.ok(err)
		func() {
			defer func() { _ = recover() }()
			_, _ = s.Apply(ctx, d, 0, func(e plan.Event) {
				if e.Step == step && e.Begun {
					panic("killed")
				}
			})
		}()
		s.known(w)
		left, err := s.Runner.Unfinished(ctx)
		if err != nil || len(left) != 1 {
			t.Fatalf("step %d: unfinished: %v, %v", step, left, err)
		}
		_, err = s.Runner.TakeBack(ctx, left[0].ID, nil)
		s.ok(err)
		s.same("taken back", before)
		s.known()
	}
}
