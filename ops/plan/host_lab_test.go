package plan

import (
	"strings"
	"testing"

	"lvsdeck/lab"
	"lvsdeck/netcfg"
)

// TestLabSysctls: undoing gives a host whose links are set differently all its
// sysctls back, and so do the lines for a shell.
func TestLabSysctls(t *testing.T) {
	lab.Require(t)
	n := lab.New(t)
	h := n.Host("director")
	h.Join(n.Segment("wan"), "eth0", "203.0.113.2/24", "2001:db8:2::2/64")
	h.Join(n.Segment("lan"), "eth1", "10.0.3.1/24")
	h.Command("ip", "link", "add", "link", "eth0", "name", "eth0.7", "type", "vlan", "id", "7")
	h.Sysctl("net.ipv4.conf.eth1.forwarding", "1")
	h.Sysctl("net.ipv4.conf.all.accept_redirects", "0")
	h.Sysctl("net.ipv6.conf.eth0.forwarding", "1")

	b := labBench(t, h)
	var host *netcfg.Kernel
	h.Do(func() {
		var err error
		host, err = netcfg.Open()
		b.ok(err)
	})
	defer host.Close()
	b.Target.Host, b.Target.Sysctls = host, host
	before := h.State()
	same := func(after string) {
		t.Helper()
		if now := h.State(); now != before {
			t.Errorf("after %s the host is not as before:\n%s", after, lab.Difference(before, now))
		}
	}
	var p Plan
	for _, name := range []string{
		"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/accept_redirects", "net/ipv4/conf/eth0.7/rp_filter",
		"net/ipv4/conf/eth1/forwarding", "conntrack",
	} {
		step, err := ReadSysctl(host, name, "1")
		b.ok(err)
		p.Items = append(p.Items, Item{Step: step})
	}
	r := b.run(p)
	if now := h.State(); !strings.Contains(lab.Difference(before, now), "+ sysctl: net/ipv4/conf/eth0.7/rp_filter = 1\n") {
		t.Errorf("it changed only:\n%s", lab.Difference(before, now))
	}
	entry, err := b.Store.Plan(r.ID)
	b.ok(err)
	back, err := Reverse(entry)
	b.ok(err)
	_, err = b.Undo(ctx, r.ID, nil)
	b.ok(err)
	same("the undo")

	h.Command("dash", "-ec", p.Commands())
	h.Command("dash", "-ec", back.Commands())
	same("the commands of the undo")
}
