package plan

import (
	"net/netip"
	"testing"

	"lvsdeck/ipvs/memory"
	"lvsdeck/netcfg"
)

// settingTests has a step with a setting of each kind. Their lines for a shell
// are netcfg's.
func settingTests() []stepTest {
	vip := netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.10/32")}
	gateway := netcfg.Route{To: netip.MustParsePrefix("192.0.2.0/24"), Via: netip.MustParseAddr("10.0.3.9"), Link: "eth1"}
	rule := netcfg.Rule{From: vip.Prefix, Protocol: "tcp", Port: 80, Table: 100, Priority: 90}
	filter := netcfg.Filter{Table: "filter", Chain: "FORWARD", Match: "-s 10.0.3.0/24", Jump: "ACCEPT", First: true}
	return []stepTest{
		settingTest(vip, Have(vip), "add address 203.0.113.10/32 on eth0", "remove address 203.0.113.10/32 on eth0"),
		settingTest(netcfg.Dummy{Name: "lvs0"}, Have(netcfg.Dummy{Name: "lvs0"}), "add dummy link lvs0", "remove dummy link lvs0"),
		settingTest(netcfg.Up{Link: "lvs0"}, Have(netcfg.Up{Link: "lvs0"}), "switch on link lvs0", "switch off link lvs0"),
		settingTest(netcfg.Module{Name: "fou"}, Have(netcfg.Module{Name: "fou"}), "load module fou", "leave module fou loaded"),
		settingTest(netcfg.GUE{Port: 5555}, Have(netcfg.GUE{Port: 5555}), "add GUE unpacked on UDP port 5555", "remove GUE unpacked on UDP port 5555"),
		settingTest(netcfg.AnyInside{Link: "ip6tnl0"}, Have(netcfg.AnyInside{Link: "ip6tnl0"}), "add tunnel ip6tnl0 open to IPv4 inside", "remove tunnel ip6tnl0 open to IPv4 inside"),
		settingTest(gateway, Have(gateway), "add route to 192.0.2.0/24 via 10.0.3.9 on eth1", "remove route to 192.0.2.0/24 via 10.0.3.9 on eth1"),
		settingTest(rule, Have(rule), "add rule for what 203.0.113.10 sends from TCP port 80: table 100", "remove rule for what 203.0.113.10 sends from TCP port 80: table 100"),
		settingTest(filter, Have(filter), "add iptables rule in filter FORWARD: -s 10.0.3.0/24 -j ACCEPT", "remove iptables rule in filter FORWARD: -s 10.0.3.0/24 -j ACCEPT"),
	}
}

func settingTest(s netcfg.Setting, step Step, words, undone string) stepTest {
	return stepTest{step, words, s.Shell().Add, undone, s.Shell().Remove, Counts{Add: 1}}
}

func settingBench(t *testing.T) (*bench, *netcfg.Memory) {
	b := newBench(t, memory.New())
	host := netcfg.New()
	b.Target.Host, b.Target.Sysctls = host, host
	b.ok(host.Add(netcfg.Module{Name: "ip6_tunnel"})) // brings ip6tnl0
	return b, host
}

// TestSettingsForthAndBack: what was there before stays when a plan is undone,
// and so do modules.
func TestSettingsForthAndBack(t *testing.T) {
	b, host := settingBench(t)
	var p Plan
	for _, s := range settingTests() {
		p.Items = append(p.Items, Item{Step: s.step})
	}
	before := netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.10/32")}
	b.ok(host.Add(before))
	has := func(i int) bool {
		t.Helper()
		done, err := p.Items[i].Step.Done(ctx, b.Target)
		b.ok(err)
		return done
	}
	r := b.run(p)
	equal(t, "the first step", Already, r.Steps[0].State)
	for i := range p.Items {
		if !has(i) {
			t.Errorf("%s: not done", p.Items[i].Step)
		}
	}
	_, err := b.Undo(ctx, r.ID, nil)
	b.ok(err)
	for i, item := range p.Items {
		_, module := item.Step.(ChangeSetting[netcfg.Module])
		if has(i) != (i == 0 || module) {
			t.Errorf("%s, undone: %v", item.Step, has(i))
		}
	}
}

// TestSettingsGoBack: a step that fails takes the others back.
func TestSettingsGoBack(t *testing.T) {
	b, host := settingBench(t)
	vip := netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.10/32")}
	p := Plan{Items: []Item{
		{Step: Have(netcfg.Module{Name: "ipip"})}, {Step: Have(vip)},
		{Step: Have(netcfg.Up{Link: "nope"})}, {Step: Have(netcfg.Dummy{Name: "lvs0"})},
	}}
	r, err := b.Run(ctx, p, nil)
	const want = "step 3 of 4, switch on link nope: cannot switch on link nope: no such network interface (kernel: no such device, ENODEV)"
	if err == nil || err.Error() != want || r.Outcome != WentBack {
		t.Errorf("%s: %v, want %s", r.Outcome, err, want)
	}
	if has, err := host.Has(vip); has || err != nil {
		t.Errorf("the address is still there (%v)", err)
	}
}

func TestAroundIPVS(t *testing.T) {
	for _, c := range []struct {
		step Step
		want bool
	}{
		{ChangeSysctl{Name: "conntrack", After: "1"}, false},
		{ChangeSysctl{Name: "net/ipv4/ip_forward", After: "1"}, true},
		{Have(netcfg.Up{Link: "eth0"}), true},
		{ChangeTimeouts{}, false},
	} {
		p := Plan{Items: []Item{{Step: ChangeTimeouts{}}, {Step: c.step}}}
		if got := p.AroundIPVS(); got != c.want {
			t.Errorf("%v: %t", c.step, got)
		}
	}
}
