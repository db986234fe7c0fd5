package services

import (
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
)

// TestFindingOfSeveralServices: each service that a finding is about has its mark.
func TestFindingOfSeveralServices(t *testing.T) {
	first := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:80"))
	other := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	f := NewFindings([]check.Finding{{Severity: check.Fault, Service: first, Also: []ipvs.ServiceID{other}}})
	for _, id := range []ipvs.ServiceID{first, other} {
		if f[Key{Service: id}] != check.Fault {
			t.Errorf("%v is %v", id, f[Key{Service: id}])
		}
	}
}
