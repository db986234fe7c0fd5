package kernel

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
)

// TestSpeed compares reading a large table with ipvsadm's reading it, by turns,
// because what else the machine does weighs on both alike. It prints medians
// and fails when a promised ratio is missed.
func TestSpeed(t *testing.T) {
	if os.Getenv("LVSDECK_BENCH") == "" && lab.Inside() {
		return // not a skip, which the lab takes for a failure
	}
	h := director(t)
	c := openOn(t, h)
	const services, servers, rounds = 1000, 10, 9
	fill(t, c, services, servers)
	overview := func() {
		o, err := c.Overview(t.Context())
		if err != nil || len(o.Services) != services || len(o.Services[7].Servers) != servers {
			t.Fatalf("overview of %d services: %v", len(o.Services), err)
		}
	}
	everything := func() {
		o, err := c.Overview(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range o.Services {
			if s, err := c.Servers(t.Context(), e.ServiceID); err != nil || len(s) != servers {
				t.Fatalf("%d servers of %s: %v", len(s), e, err)
			}
		}
	}
	for _, test := range []struct {
		name  string
		ours  func()
		judge string // ipvsadm's options
		most  float64
	}{
		{"Overview", overview, "-Ln --stats", 1. / 8},
		{"Overview and all Servers", everything, "-Ln --stats", 1. / 2},
	} {
		var our, their []time.Duration
		for range rounds {
			our = append(our, timed(test.ours))
			their = append(their, timed(func() { h.Ipvsadm(strings.Fields(test.judge)...) }))
		}
		ratio := float64(median(our)) / float64(median(their))
		t.Logf("%-25s %8v   ipvsadm %-12s %8v   ratio 1/%.1f (at most 1/%.0f)", test.name,
			median(our).Round(time.Millisecond), test.judge, median(their).Round(time.Millisecond), 1/ratio, 1/test.most)
		if ratio > test.most {
			t.Errorf("%s is too slow: %.3f of ipvsadm's time, want at most %.3f", test.name, ratio, test.most)
		}
	}
}

func fill(t *testing.T, c *Client, services, servers int) {
	t.Helper()
	for i := range services {
		id := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort(fmt.Sprintf("203.0.%d.%d:443", 100+i/250, 1+i%250)))
		if err := c.AddService(t.Context(), ipvs.NewService(id)); err != nil {
			t.Fatal(err)
		}
		for n := range servers {
			s := ipvs.Server{Addr: netip.MustParseAddrPort(fmt.Sprintf("10.0.%d.%d:443", n, 1+i%250)), Forward: ipvs.Direct, Weight: 100}
			if err := c.AddServer(t.Context(), id, s); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// timed does not count the garbage that others have left.
func timed(f func()) time.Duration {
	runtime.GC()
	start := time.Now()
	f()
	return time.Since(start)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
