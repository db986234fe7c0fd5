package services

import (
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// FuzzParseFilter: every text is a filter, and what a filter picks, its opposite
// does not.
func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"", "tcp :443", "!nat 10.0.0.0/8", "2001:DB8::0:1", "!!x", ":99999", "/", "drain ipv6"} {
		f.Add(s)
	}
	server := &ops.Server{Server: ipvs.Server{Addr: netip.MustParseAddrPort("10.0.3.11:80"), Weight: 1}, Name: "10.0.3.11:80"}
	service := &ops.Service{Service: ipvs.NewService(ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))), Name: "203.0.113.10:443", Servers: []*ops.Server{server}}
	f.Fuzz(func(t *testing.T, s string) {
		p := ParseFilter(s)
		p.service(service, nil)
		p.server(service, server, nil)
		if len(p.terms) != 1 {
			return
		}
		opposite := p
		opposite.terms = []term{p.terms[0]}
		opposite.terms[0].not = !opposite.terms[0].not
		if p.service(service, nil) == opposite.service(service, nil) || p.server(service, server, nil) == opposite.server(service, server, nil) {
			t.Fatalf("%q and its opposite agree", s)
		}
	})
}
