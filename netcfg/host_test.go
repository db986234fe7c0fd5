package netcfg

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

func TestMemory(t *testing.T) {
	testHost(t, func(t *testing.T) Host {
		m := New()
		for link, prefix := range map[string]string{"eth0": "2001:db8:2::2/64", "eth1": "2001:db8:3::1/64"} {
			if err := m.Add(Address{Link: link, Prefix: cut(prefix)}); err != nil {
				t.Fatal(err)
			}
		}
		return m
	})
}

// testHost is what every Host of a fresh kernel does. It has eth0 and eth1:
// 203.0.113.2/24 and 2001:db8:2::2/64, 10.0.3.1/24 and 2001:db8:3::1/64; its
// gateway is 203.0.113.1.
func testHost(t *testing.T, fresh func(*testing.T) Host) {
	testSysctls(t, fresh)
	testSettings(t, fresh)
	testSurroundings(t, fresh)
	testFirewalls(t, fresh)
	t.Run("list", func(t *testing.T) {
		h := fresh(t)
		all, err := h.List()
		if err != nil || len(all) < 20 {
			t.Fatalf("%d sysctls, %v", len(all), err)
		}
		if !slices.IsSortedFunc(all, func(a, b Value) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("not sorted: %v", all)
		}
		for _, v := range all {
			if got, err := h.Get(v.Name); err != nil || got != v.Value {
				t.Errorf("%s: %q (%v), listed as %q", v.Name, got, err, v.Value)
			}
			if v.Differs() {
				t.Errorf("%s is %s on a fresh kernel", v.Name, v.Value)
			}
		}
	})
	t.Run("set", func(t *testing.T) {
		for name, values := range map[string][]string{
			"conntrack": {"1", "0"}, "conn_reuse_mode": {"0", "2", "1"}, "drop_packet": {"1", "3", "2", "0"},
			"sync_threshold": {"5 100", "4 0", "0 0", "3\t50"}, "sync_ports": {"4", "1"}, "sync_qlen_max": {"100"},
			"sync_retries": {"3"}, "am_droprate": {"20"}, "expire_nodest_conn": {"1"},
		} {
			h := fresh(t)
			for _, v := range values {
				if err := h.Set(name, v); err != nil {
					t.Errorf("%s to %s: %v", name, v, err)
				} else if got, err := h.Get(name); err != nil || !Same(name, got, v) {
					t.Errorf("%s set to %s is %q (%v)", name, v, got, err)
				}
			}
		}
	})
	t.Run("refuse", func(t *testing.T) {
		for name, value := range map[string]string{
			"sync_ports": "3", "drop_entry": "4", "sync_threshold": "5 4", "sync_version": "2", "sync_retries": "-1", "conntrack": "yes",
		} {
			h := fresh(t)
			before, _ := h.Get(name)
			err := h.Set(name, value)
			s, _ := Find(name)
			var refused *Error
			if !errors.As(err, &refused) || refused.Name != name || refused.Value != value {
				t.Errorf("%s to %s: %v", name, value, err)
			} else if text := err.Error(); !strings.Contains(text, file(name)) || !strings.Contains(text, s.Rule) {
				t.Errorf("%s to %s: %q does not name the file and the rule %q", name, value, text, s.Rule)
			}
			if now, _ := h.Get(name); now != before {
				t.Errorf("%s was refused and is %q now", name, now)
			}
		}
	})
	t.Run("absent", func(t *testing.T) {
		h := fresh(t)
		for _, name := range []string{"no_such_thing", "", "..", "../ip_forward", "debug_level"} {
			if _, err := h.Get(name); !errors.Is(err, ErrAbsent) {
				t.Errorf("get %q: %v", name, err)
			}
			if err := h.Set(name, "1"); !errors.Is(err, ErrAbsent) {
				t.Errorf("set %q: %v", name, err)
			}
		}
	})
	t.Run("modules", func(t *testing.T) {
		m, err := fresh(t).Modules()
		if err != nil || !m.Listed {
			t.Fatalf("%+v, %v", m, err)
		}
		if got := m.State("ip_vs"); got != Loaded {
			t.Errorf("ip_vs: %v", got)
		}
		for name, want := range map[string]State{"sed": Loadable, "never": Missing} {
			if got := m.Scheduler(name); got != want {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	})
}

func TestKnown(t *testing.T) {
	if !slices.IsSortedFunc(known, func(a, b Sysctl) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("Find needs the table sorted by name")
	}
	for _, s := range known {
		if !strings.HasSuffix(s.About, ".") || len(s.About) > 170 || !strings.HasPrefix(s.Rule, "must be ") {
			t.Errorf("%s: %q %q", s.Name, s.About, s.Rule)
		}
		if s.Default != "" && !s.fits(s.Default) {
			t.Errorf("%s: its default breaks its rule", s.Name)
		}
		for _, c := range s.Choices {
			if !s.fits(c.Value) || c.Means == "" {
				t.Errorf("%s: choice %v", s.Name, c)
			}
		}
		if got, ok := Find(s.Name); !ok || got.Name != s.Name {
			t.Errorf("%s is not found", s.Name)
		}
	}
	if _, ok := Find("unknown"); ok {
		t.Error("something unknown is known")
	}
}

func TestCheck(t *testing.T) {
	for name, values := range map[string]struct{ good, bad string }{
		"conntrack":           {"0|1", "2|-1||yes|0x1"},
		"drop_entry":          {"0|1|2|3", "4|-1"},
		"sync_ports":          {"1|2|64", "0|3|128|-2"},
		"sync_threshold":      {"3 50|0 0|7 0|3\t50", "3|50 3|3 3|3 50 1|-1 5|a b|3 50x|4294967295 0"},
		"est_cpulist":         {"|0|0-3|0-3,6,8-9", "3-1|a|0-|,|99999"},
		"est_nice":            {"-20|0|19", "-21|20"},
		"sync_refresh_period": {"0|10", "2147483647"},
		"of_a_newer_kernel":   {"0|whatever", ""},
	} {
		for v := range strings.SplitSeq(values.good, "|") {
			if err := Check(name, v); err != nil {
				t.Errorf("%v", err)
			}
		}
		if values.bad == "" {
			continue
		}
		for v := range strings.SplitSeq(values.bad, "|") {
			if err := Check(name, v); err == nil {
				t.Errorf("%s: %q passes", name, v)
			}
		}
	}
	want := `cannot set net.ipv4.vs.sync_ports to "3" (/proc/sys/net/ipv4/vs/sync_ports): must be 1, 2, 4, 8, 16, 32 or 64`
	if got := Check("sync_ports", "3").Error(); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"drop_entry", "1", "2", true},
		{"drop_entry", "0", "2", false},
		{"conn_reuse_mode", "1", "2", false},
		{"sync_threshold", "3\t50", "3 50", true},
		{"est_cpulist", "0,1,2,3", "0-3", true},
		{"est_cpulist", "", "0", false},
		{"unknown", "a", " a\n", true},
	} {
		if got := Same(c.name, c.a, c.b); got != c.same {
			t.Errorf("%s: %q and %q: %v", c.name, c.a, c.b, got)
		}
	}
}

func TestReadModules(t *testing.T) {
	files := map[string]string{
		"/proc/modules": "ip_vs_rr 16384 1 - Live 0x0\nip_vs 188416 3 ip_vs_rr, Live 0x0\nnf_conntrack 1 1 ip_vs, Live 0x0\n",
		"/lib/modules/6.1.0/modules.dep": "kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/lib/libcrc32c.ko.xz\n" +
			"kernel/net/netfilter/ipvs/ip_vs_pe_sip.ko.zst: kernel/net/netfilter/ipvs/ip_vs.ko.zst\nkernel/net/netfilter/ipvs/ip_vs_rr.ko:\n",
		"/lib/modules/6.1.0/modules.builtin": "kernel/net/netfilter/ipvs/ip_vs_wlc.ko\nkernel/lib/zlib.ko\n",
	}
	read := func(path string) ([]byte, error) {
		text, ok := files[path]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}
	m, err := readModules(read, "6.1.0")
	if want := "[ip_vs ip_vs_rr] [ip_vs_wlc] [ip_vs ip_vs_pe_sip ip_vs_rr] true"; err != nil ||
		fmt.Sprint(m.Loaded, m.BuiltIn, m.Loadable, m.Listed) != want {
		t.Errorf("%+v, %v", m, err)
	}
	if m.Scheduler("wlc") != Loaded || m.State("ip_vs_pe_sip") != Loadable || m.Scheduler("mh") != Missing {
		t.Errorf("states: %+v", m)
	}
	m, err = readModules(read, "another")
	if err != nil || m.Listed || m.Scheduler("rr") != Loaded || m.Scheduler("mh") != Unknown {
		t.Errorf("without lists: %+v, %v", m, err)
	}
}
