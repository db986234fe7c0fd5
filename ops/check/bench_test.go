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

// BenchmarkRound is a round of checks on 1,000 services of 10 servers, without and
// with a firewall of some rules: what is kept of the round before, what is read anew
// (of a host in memory), and all checks.
func BenchmarkRound(b *testing.B) {
	for name, rules := range map[string]string{
		"open":     "",
		"firewall": "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p icmp -j ACCEPT\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -j ACCEPT\n-A FORWARD -s 10.0.0.0/8 -j ACCEPT\nCOMMIT\n",
	} {
		b.Run(name, func(b *testing.B) {
			w := large(b, rules)
			before := used(b)
			for b.Loop() {
				r, err := w.round(b.Context(), false)
				if err != nil || len(r.Findings) > 0 || r.Servers != 10000 {
					b.Fatal(told(r.Findings), err)
				}
			}
			b.ReportMetric(float64((used(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}

func large(b *testing.B, rules string) *Watch {
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
	w := NewWatch(WatchOptions{Sources: Sources{Host: host, Table: table}})
	sampler := ops.NewSampler(table, ops.Options{})
	sampler.Each(w.Seen)
	sampler.FocusAll()
	errs = append(errs, sampler.Observe(b.Context(), time.Now()).Err)
	for _, err := range errs {
		if err != nil {
			b.Fatal(err)
		}
	}
	return w
}
