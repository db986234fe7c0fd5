package persist

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

// shifty is a table in which a service goes while it is read, or of which only
// a part can be seen.
type shifty struct {
	ipvs.Table
	partial bool
	gone    ipvs.ServiceID
}

func (t shifty) Overview(ctx context.Context) (ipvs.Overview, error) {
	o, err := t.Table.Overview(ctx)
	for i := range o.Services {
		o.Services[i].Partial = t.partial
	}
	return o, errors.Join(err, t.drop(ctx))
}

func (t shifty) drop(ctx context.Context) error {
	if t.gone == (ipvs.ServiceID{}) {
		return nil
	}
	return t.DeleteService(ctx, t.gone)
}

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

	if _, err := ReadRules(ctx, shifty{Table: table, partial: true}); !errors.Is(err, ipvs.ErrPermission) {
		t.Errorf("rules of which a part is not seen: %v", err)
	}
	rules, err = ReadRules(ctx, shifty{Table: table, gone: two})
	ok(t, err)
	if len(rules.Services) != 1 || rules.Services[0].ServiceID != one {
		t.Errorf("a service went meanwhile; read %+v", rules.Services)
	}
	for k := range 6 {
		table.Inject(memory.Nth(k+1, memory.Fail(errors.New("refused"))))
		if _, err := ReadRules(ctx, table); err == nil && k < 4 {
			t.Errorf("call %d failed and nobody says so", k+1)
		}
	}
}
