package realserver

import (
	"context"
	"net/netip"
	"path/filepath"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/absent"
	"lvsdeck/netcfg"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// server is a real server in memory.
func server(t *testing.T) (*netcfg.Memory, plan.Runner) {
	t.Helper()
	host := netcfg.NewHost()
	host.Plug("eth0", "10.0.3.11/24", "2001:db8:3::11/64")
	if err := host.Add(netcfg.Route{To: netip.MustParsePrefix("0.0.0.0/0"), Via: ip("10.0.3.254"), Link: "eth0"}); err != nil {
		t.Fatal(err)
	}
	store, err := persist.Open(persist.Options{Dir: filepath.Join(t.TempDir(), "store")})
	if err != nil {
		t.Fatal(err)
	}
	return host, plan.Runner{Target: plan.Target{Table: absent.Table{}, Sysctls: host, Host: host}, Store: store, Rules: keep.Language}
}

func apply(t *testing.T, host netcfg.Host, r plan.Runner, w Want) {
	t.Helper()
	d, err := Make(host, w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(context.Background(), d.Plan, nil); err != nil {
		t.Fatal(err)
	}
}

func undo(t *testing.T, r plan.Runner, w Want) (b Back) {
	t.Helper()
	b, err := Undo(r.Store, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.Plans {
		if _, err := r.Run(context.Background(), p, nil); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// TestPlans: every form can be applied to a host without IPVS and undone; a second
// time there is nothing to do, nor a third time to undo.
func TestPlans(t *testing.T) {
	for name, w := range wants() {
		if w.Loose != "" {
			w.Loose = "eth0"
		}
		host, r := server(t)
		if name == "gre66" {
			continue // memory has no ip6gre0
		}
		apply(t, host, r, w)
		d, err := Make(host, w)
		if err != nil {
			t.Fatal(err)
		}
		preview, err := d.Plan.Preview(context.Background(), r.Target)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range preview.States {
			if s != plan.Already {
				t.Errorf("%s: %s is %s", name, d.Plan.Items[i].Step, s)
			}
		}
		if b := undo(t, r, w); len(b.Plans) != 1 || len(b.Stays) != 0 {
			t.Errorf("%s: %+v", name, b)
		}
		if b := undo(t, r, w); len(b.Plans) != 0 {
			t.Errorf("%s: still to undo: %v", name, b.Plans[0].Items)
		}
		if value, _ := host.Get(netcfg.Conf("all", "arp_ignore")); value != "0" {
			t.Errorf("%s: arp_ignore stays %s", name, value)
		}
	}
}

// TestPlansShare: what another needs stays, and goes with the last that does,
// whichever comes first.
func TestPlansShare(t *testing.T) {
	one := wants()["dr4"]
	two := one
	two.VIP = ip("203.0.113.20")
	for _, order := range [][2]Want{{one, two}, {two, one}} {
		host, r := server(t)
		apply(t, host, r, one)
		apply(t, host, r, two)
		has := func(want string) {
			t.Helper()
			for _, name := range []string{"arp_ignore", "arp_announce"} {
				if value, _ := host.Get(netcfg.Conf("all", name)); (value == "0") != (want == "0") {
					t.Errorf("%s is %s", name, value)
				}
			}
		}
		undo(t, r, order[0])
		has("set")
		undo(t, r, order[1])
		has("0")
	}
}

// TestEffects: what is right already stays as it is, and what counts for more is
// refused.
func TestEffects(t *testing.T) {
	host, _ := server(t)
	w := wants()["dr4"]
	host.Put(netcfg.Conf("eth0", "arp_ignore"), "8")
	host.Put(netcfg.Conf("eth0", "arp_announce"), "2")
	d, err := Make(host, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range d.Plan.Items[:2] {
		if s := i.Step.(plan.ChangeSysctl); s.After != s.Before {
			t.Error(s)
		}
	}
	host.Put(netcfg.Conf("eth0", "arp_ignore"), "4")
	const want = "net.ipv4.conf.eth0.arp_ignore is 4, which counts for more than net.ipv4.conf.all.arp_ignore = 1: set it to 0 first"
	if _, err := Make(host, w); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestNotNeeded: with the director as default gateway nothing else leads there.
func TestNotNeeded(t *testing.T) {
	host, _ := server(t)
	w := wants()["nat4"]
	w.Gateway = ip("10.0.3.254")
	d, err := Make(host, w)
	if err != nil || len(d.Passed) != 2 {
		t.Errorf("%q, %v", d.Passed, err)
	}
	if a, err := Address(host, w.Gateway); a != w.Server || err != nil {
		t.Errorf("%s, %v", a, err)
	}
	if _, err := Address(host, w.Server); err == nil {
		t.Error("the server is its own gateway")
	}
}

// TestNearStays: where all answers go by the director, a neighbour's do not.
func TestNearStays(t *testing.T) {
	host, r := server(t)
	w := wants()["nat4-all"]
	apply(t, host, r, w)
	for to, via := range map[netip.Addr]netip.Addr{ip("10.0.3.99"): {}, ip("198.51.100.7"): w.Gateway} {
		if path, err := host.Path(to, w.Server); err != nil || path.Via != via {
			t.Errorf("to %s: %+v, %v", to, path, err)
		}
	}
}

// TestTwoDirectors: of one port number, a protocol each.
func TestTwoDirectors(t *testing.T) {
	host, r := server(t)
	one, two := wants()["nat4"], wants()["nat4"]
	two.Gateway, two.Protocol = ip("10.0.3.2"), ipvs.UDP
	apply(t, host, r, one)
	apply(t, host, r, two)
	undo(t, r, one)
	steps, err := Steps(two)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.Setting == nil {
			continue
		}
		if has, err := host.Has(s.Setting); !has || err != nil {
			t.Errorf("%s: %v, %v", s, has, err)
		}
	}
}
