package netcfg

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// testSysctls is what every Sysctls does besides those of IPVS, on the host of
// testHost.
func testSysctls(t *testing.T, fresh func(*testing.T) Host) {
	t.Run("sysctls by their files", func(t *testing.T) {
		h := fresh(t)
		for name, value := range map[string]string{
			"net/ipv4/ip_forward": "1", Conf("eth1", "rp_filter"): "2", Conf("all", "arp_announce"): "2",
			"net/ipv6/conf/eth0/accept_ra": "2", "net/ipv4/ip_local_port_range": "20000 30000",
		} {
			if err := h.Set(name, value); err != nil {
				t.Error(err)
			} else if got, err := h.Get(name); err != nil || got != value {
				t.Errorf("%s set to %s is %q (%v)", name, value, got, err)
			}
		}
		err := h.Set("net/ipv4/ip_forward", "yes")
		const want = `cannot set net.ipv4.ip_forward to "yes" (/proc/sys/net/ipv4/ip_forward): the kernel refuses it: invalid argument`
		if err == nil || err.Error() != want {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	})
	t.Run("files elsewhere", func(t *testing.T) {
		h := fresh(t)
		for _, name := range []string{
			Conf("nope", "rp_filter"), "net/ipv4", "/etc/passwd", "net/../../../etc/passwd", "net/ipv4/../ipv4/ip_forward", "net//ipv4/ip_forward",
			"./net/ipv4/ip_forward", "net/ipv4/ip_forward/", "net.ipv4.ip_forward",
		} {
			if value, err := h.Get(name); err == nil || name != "net/ipv4" && !errors.Is(err, ErrAbsent) {
				t.Errorf("get %q: %q, %v", name, value, err)
			}
			if err := h.Set(name, "1"); err == nil {
				t.Errorf("set %q", name)
			}
		}
	})
	t.Run("sysctls that lead others", func(t *testing.T) {
		for _, c := range []struct{ name, led string }{
			{"net/ipv4/ip_forward", "net/ipv4/conf/eth0/forwarding net/ipv4/conf/all/accept_redirects net/ipv4/conf/default/forwarding"},
			{"net/ipv4/conf/all/forwarding", "net/ipv4/conf/eth0/forwarding net/ipv4/conf/all/accept_redirects net/ipv4/conf/default/forwarding"},
			{"net/ipv6/conf/all/forwarding", "net/ipv6/conf/eth0/forwarding net/ipv6/conf/default/forwarding"},
			{Conf("eth0", "forwarding"), ""}, {"conntrack", ""},
		} {
			h := fresh(t)
			along := func() map[string]string {
				t.Helper()
				all, err := h.Along(c.name)
				if err != nil {
					t.Fatal(err)
				}
				return all
			}
			set := func(name, value string) {
				t.Helper()
				if err := h.Set(name, value); err != nil {
					t.Fatal(err)
				}
			}
			// A host that has its own mind about one link.
			set(Conf("eth1", "forwarding"), "1")
			set("net/ipv6/conf/eth1/forwarding", "1")
			before := along()
			set(c.name, "1")
			now := along()
			for name := range strings.FieldsSeq(c.led) {
				if before[name] == now[name] {
					t.Errorf("%s does not change %s: %q", c.name, name, now[name])
				}
			}
			if c.led == "" && len(before) > 0 {
				t.Errorf("%s leads %v", c.name, before)
			}
			set(c.name, "0")
			for _, name := range slices.Sorted(maps.Keys(before)) {
				set(name, before[name])
			}
			if now := along(); !maps.Equal(before, now) {
				t.Errorf("%s and back:\nwas %v\n is %v", c.name, before, now)
			}
		}
	})
}

func TestDotted(t *testing.T) {
	for name, want := range map[string]string{
		"conntrack":                      "net.ipv4.vs.conntrack",
		"net/ipv4/ip_forward":            "net.ipv4.ip_forward",
		"net/ipv4/conf/eth0.7/rp_filter": "net/ipv4/conf/eth0.7/rp_filter",
		"net/ipv6/conf/all/disable_ipv6": "net.ipv6.conf.all.disable_ipv6",
		"net/netfilter/nf_conntrack_max": "net.netfilter.nf_conntrack_max",
	} {
		if got := Dotted(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
