package persist

import (
	"errors"
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

func TestReadRules(t *testing.T) {
	ctx := t.Context()
	one, two := ipvs.MarkService(1, ipvs.IPv4), ipvs.MarkService(2, ipvs.IPv4)
	table := memory.New()
	for _, id := range []ipvs.ServiceID{two, one} {
		ok(t, table.AddService(ctx, ipvs.NewService(id)))
		for _, addr := range []string{"10.0.0.2:80", "10.0.0.1:80"} {
			ok(t, table.AddServer(ctx, id, ipvs.Server{Addr: netip.MustParseAddrPort(addr), Upper: 9, Lower: 3}))
		}
	}
	rules, err := ReadRules(ctx, table)
	ok(t, err)
	s := rules.Services
	if len(s) != 2 || s[0].ServiceID != one || len(s[0].Servers) != 2 || s[0].Servers[0].Addr.String() != "10.0.0.1:80" ||
		s[0].Servers[0].Upper != 9 || rules.Timeouts.TCP != 900 {
		t.Errorf("read %+v", rules)
	}

	for k := range 3 {
		table.Inject(memory.Nth(k+1, memory.Fail(errors.New("refused"))))
		if _, err := ReadRules(ctx, table); err == nil {
			t.Errorf("call %d failed and nobody says so", k+1)
		}
	}
}
