package netcfg

import (
	"strconv"
	"testing"
)

// TestEffective follows inetdevice.h.
func TestEffective(t *testing.T) {
	for name, want := range map[string][4]int{ // by (all, own): 0 0, 0 2, 2 0, 1 2
		"arp_ignore":       {0, 2, 2, 2},
		"arp_announce":     {0, 2, 2, 2},
		"rp_filter":        {0, 2, 2, 2},
		"arp_notify":       {0, 2, 2, 2},
		"accept_local":     {0, 1, 1, 1},
		"send_redirects":   {0, 1, 1, 1},
		"log_martians":     {0, 1, 1, 1},
		"proxy_arp":        {0, 1, 1, 1},
		"src_valid_mark":   {0, 1, 1, 1},
		"secure_redirects": {0, 1, 1, 1},
		"forwarding":       {0, 2, 0, 2},
	} {
		for i, v := range [4][2]int{{0, 0}, {0, 2}, {2, 0}, {1, 2}} {
			m := New()
			m.Put(Conf("all", name), strconv.Itoa(v[0]))
			m.Put(Conf("eth0", name), strconv.Itoa(v[1]))
			if got, err := Effective(m, "eth0", name); err != nil || got != want[i] {
				t.Errorf("%s: all %d, eth0 %d: %d (%v), want %d", name, v[0], v[1], got, err, want[i])
			}
		}
	}
	for _, c := range []struct{ forwarding, all, own, want int }{
		{0, 0, 0, 0}, {0, 1, 0, 1}, {0, 0, 1, 1}, {1, 1, 0, 0}, {1, 0, 1, 0}, {1, 1, 1, 1},
	} {
		m := New()
		m.Put(Conf("eth0", "forwarding"), strconv.Itoa(c.forwarding))
		m.Put(Conf("all", "accept_redirects"), strconv.Itoa(c.all))
		m.Put(Conf("eth0", "accept_redirects"), strconv.Itoa(c.own))
		if got, err := Effective(m, "eth0", "accept_redirects"); err != nil || got != c.want {
			t.Errorf("accept_redirects: %+v: %d (%v)", c, got, err)
		}
	}
	m := New()
	if _, err := Effective(m, "nope", "rp_filter"); err == nil {
		t.Error("a link that is not there has an effective rp_filter")
	}
	m.Put(Conf("eth0", "rp_filter"), "x")
	if _, err := Effective(m, "eth0", "rp_filter"); err == nil {
		t.Error("x is a number")
	}
}
