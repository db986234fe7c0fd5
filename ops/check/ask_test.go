package check

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/probe"
)

// answering is a prober to whom all servers answer.
type answering struct{ asked []string }

func (answering) VIP(context.Context, netip.Addr, []netip.Addr) probe.Finding {
	return probe.Finding{Verdict: probe.Fine, Cause: probe.Alone}
}

func (answering) Free(context.Context, netip.Addr, string) probe.Finding {
	return probe.Finding{Verdict: probe.Fine, Cause: probe.Alone}
}

func (a *answering) Servers(_ context.Context, of ...probe.Target) (all []probe.Result) {
	for _, t := range of {
		a.asked = append(a.asked, t.Server.Addr.String())
		all = append(all, probe.Result{Target: t, Finding: probe.Finding{Verdict: probe.Fine, Cause: probe.Answers}})
	}
	return all
}
func (answering) Close() error { return nil }

// TestProbeOfANewService: a service that was added since the last round is asked
// about, and what others there are is known to the prober.
func TestProbeOfANewService(t *testing.T) {
	w := watchOf(t, ipvs.Masq)
	w.round(0)
	id := ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(vip, 443))
	w.ok(w.table.AddService(t.Context(), ipvs.NewService(id)))
	w.ok(w.table.AddServer(t.Context(), id, ipvs.Server{Addr: netip.MustParseAddrPort("10.0.3.19:443"), Weight: 1}))
	w.ok(w.sampler.Observe(t.Context(), w.now.Add(time.Second)).Err)
	var all answering
	w.watch.open = func(_ netcfg.Surroundings, o probe.Options) (prober, error) {
		if !slices.Contains(o.Services, http) || !slices.Contains(o.Services, id) {
			t.Errorf("the prober knows %v", o.Services)
		}
		return &all, nil
	}
	scene, err := w.watch.SceneOf(t.Context(), id)
	w.ok(err)
	asked, err := w.watch.ProbeIn(t.Context(), scene, func(ipvs.ServiceID) bool { return true }, nil)
	w.ok(err)
	if want := "1 server asked: 1 answers; nobody else has the VIP"; asked.String() != want || !slices.Equal(all.asked, []string{"10.0.3.19:443"}) {
		t.Errorf("%s, of %v", asked, all.asked)
	}
}

// TestProbesBesideRounds: a probe goes by the scene of a round while others are made.
// The race detector tells when one writes into what they share.
func TestProbesBesideRounds(t *testing.T) {
	w := watchOf(t, ipvs.Masq)
	w.filter("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m addrtype --dst-type local -j ACCEPT\nCOMMIT\n")
	w.round(0)
	w.watch.open = func(netcfg.Surroundings, probe.Options) (prober, error) { return &answering{}, nil }
	every := func(ipvs.ServiceID) bool { return true }
	var both sync.WaitGroup
	both.Go(func() {
		for range 20 {
			if _, err := w.watch.round(t.Context(), false); err != nil {
				t.Error(err)
			}
		}
	})
	both.Go(func() {
		for range 20 {
			if asked, err := w.watch.Probe(t.Context(), every, nil); err != nil || len(asked.Servers) != 2 {
				t.Errorf("%+v, %v", asked, err)
			}
		}
	})
	both.Wait()
}

// TestAsked: what came of asking, in a line.
func TestAsked(t *testing.T) {
	result := func(p ipvs.Protocol, v probe.Verdict) probe.Result {
		return probe.Result{Target: probe.Target{Protocol: p}, Finding: probe.Finding{Verdict: v}}
	}
	claim := func(v probe.Verdict) AskedVIP { return AskedVIP{http, probe.Finding{Verdict: v}} }
	for want, a := range map[string]Asked{
		"there is nobody to ask": {},
		"3 servers asked: 3 answer; nobody else has the VIP": {
			[]probe.Result{result(ipvs.TCP, probe.Fine), result(ipvs.TCP, probe.Fine), result(ipvs.TCP, probe.Fine)}, []AskedVIP{claim(probe.Fine)},
		},
		"3 servers asked: 1 answers pings, 1 does not as it should, 1 cannot be told; the VIP is not this director's alone": {
			[]probe.Result{result(ipvs.UDP, probe.Fine), result(ipvs.TCP, probe.Fault), result(ipvs.UDP, probe.Unknown)}, []AskedVIP{claim(probe.Fault)},
		},
		"1 server asked: 1 answers; nobody else has one of 2 VIPs": {
			[]probe.Result{result(ipvs.TCP, probe.Fine)}, []AskedVIP{claim(probe.Fine), claim(probe.Fine)},
		},
	} {
		if a.String() != want {
			t.Errorf("%s, want %s", a, want)
		}
	}
}
