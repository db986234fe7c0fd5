package kernel

import (
	"fmt"
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
)

// Kernels before 7.1 lose services from the text when other namespaces have
// some too; an overview has them all.
func TestOverviewAmongNamespaces(t *testing.T) {
	lab.Require(t)
	n := lab.New(t)
	ours, other := openOn(t, n.Host("ours")), openOn(t, n.Host("other"))
	const services = 300
	for i := range services {
		id := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort(fmt.Sprintf("203.0.113.1:%d", 1+i)))
		for _, c := range []*Client{ours, other} {
			if err := c.AddService(t.Context(), ipvs.NewService(id)); err != nil {
				t.Fatal(err)
			}
			s := ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.1:80"), Weight: uint32(i)}
			if err := c.AddServer(t.Context(), id, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	text, err := ours.files.Table()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the text has %d services of %d", len(text.Services), services)
	o, err := ours.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Services) != services {
		t.Errorf("want %d services, got %d", services, len(o.Services))
	}
	for _, e := range o.Services {
		if len(e.Servers) != 1 || e.Servers[0].Weight != uint32(e.Port-1) {
			t.Errorf("%s: want one server of weight %d, got %+v", e, e.Port-1, e.Servers)
		}
	}
}
