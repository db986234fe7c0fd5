package check

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
)

// BenchmarkRun is a round of checks on 1,000 services of 10 servers, without and
// with a firewall of some rules.
func BenchmarkRun(b *testing.B) {
	for name, rules := range map[string]string{
		"open":     "",
		"firewall": "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p icmp -j ACCEPT\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -j ACCEPT\n-A FORWARD -s 10.0.0.0/8 -j ACCEPT\nCOMMIT\n",
	} {
		b.Run(name, func(b *testing.B) {
			scene := large(b, rules)
			for b.Loop() {
				if got := Run(scene); len(got) > 0 {
					b.Fatal(told(got[:1]))
				}
			}
		})
	}
}

func large(b *testing.B, rules string) Scene {
	host, table := netcfg.New(), memory.New()
	host.PutFirewall(false, rules)
	errs := []error{
		host.Set("net/ipv4/conf/eth1/forwarding", "1"),
		host.Add(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)}),
		host.Add(netcfg.Route{To: netip.MustParsePrefix("10.0.0.0/8"), Via: netip.MustParseAddr("10.0.3.254"), Link: "eth1"}),
	}
	for n := range 1000 {
		id := ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(vip, uint16(1000+n)))
		errs = append(errs, table.AddService(b.Context(), ipvs.NewService(id)))
		for r := range 10 {
			at := netip.MustParseAddrPort(fmt.Sprintf("10.%d.%d.%d:80", 100+r, n/250, 1+n%250))
			errs = append(errs, table.AddServer(b.Context(), id, ipvs.Server{Addr: at, Weight: 1}))
		}
	}
	sampler := ops.NewSampler(table, ops.Options{})
	sampler.FocusAll()
	sample := sampler.Observe(b.Context(), time.Now())
	scene, err := Gather(b.Context(), Sources{Host: host, Table: table}, sample)
	for _, err := range append(errs, err, sample.Err) {
		if err != nil {
			b.Fatal(err)
		}
	}
	return scene
}
