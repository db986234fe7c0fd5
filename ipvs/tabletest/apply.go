package tabletest

import (
	"errors"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
)

func addService(id ipvs.ServiceID) ipvs.Change {
	return ipvs.Change{Op: ipvs.OpAddService, Service: ipvs.NewService(id)}
}

// testApply makes changes of every kind at once, good and bad ones. Each must
// end as its own method would end it there, and no bad one keep others from
// being made.
func testApply(t *table) {
	rs, other, set := server("10.0.0.1:80"), server("10.0.0.2:80"), server("10.0.0.1:80")
	set.Weight = 7
	nowhere := ipvs.NewService(missing)
	nowhere.Scheduler = "a-name-of-22-characters"
	edited := ipvs.NewService(web)
	edited.Scheduler = "rr"
	tests := []struct {
		ipvs.Change
		want error
	}{
		{ipvs.ChangeServer(ipvs.OpAddServer, web, rs), ipvs.ErrNoService},
		{addService(web), nil},
		{addService(web), ipvs.ErrServiceExists},
		{ipvs.ChangeServer(ipvs.OpAddServer, web, rs), nil},
		{ipvs.ChangeServer(ipvs.OpAddServer, web, set), ipvs.ErrServerExists},
		{ipvs.ChangeServer(ipvs.OpSetServer, web, set), nil},
		{ipvs.ChangeServer(ipvs.OpSetServer, web, other), ipvs.ErrNoServer},
		{ipvs.ChangeServer(ipvs.OpAddServer, web, server("224.0.0.1:80")), ipvs.ErrInvalid},
		{ipvs.ChangeServer(ipvs.OpAddServer, web, other), nil},
		{ipvs.Change{Op: ipvs.OpAddService, Service: nowhere}, ipvs.ErrNoScheduler},
		{ipvs.Change{Op: ipvs.OpSetService, Service: edited}, nil},
		{addService(web6), nil},
		{ipvs.Change{Op: ipvs.OpDeleteService, Service: ipvs.NewService(web6)}, nil},
		{ipvs.ChangeServer(ipvs.OpDeleteServer, web, other), nil},
		{ipvs.ChangeServer(ipvs.OpDeleteServer, web, other), ipvs.ErrNoServer},
		{ipvs.Change{Op: ipvs.OpZero, Service: edited}, ipvs.ErrInvalid}, // no change to a row
	}
	var changes []ipvs.Change
	for _, test := range tests {
		changes = append(changes, test.Change)
	}
	for i, err := range t.apply(changes) {
		if test := tests[i]; test.want != nil {
			t.refused(err, test.want, test.Op, test.Target())
		} else if err != nil {
			t.Errorf("%s %s: %v", test.Op, test.Target(), err)
		}
	}
	t.same("the table", stateText(map[ipvs.ServiceID]entry{
		web: {edited, map[string]ipvs.Server{"": set}},
	}), t.read())
	t.apply(nil)
}

// apply checks that there are as many answers as changes.
func (t *table) apply(changes []ipvs.Change) []error {
	t.Helper()
	errs := t.Apply(t.ctx, changes)
	if len(errs) != len(changes) {
		t.Fatalf("%d answers to %d changes", len(errs), len(changes))
	}
	return errs
}

// testApplyMany: thousands of changes, all of them good, or most of them bad.
func testApplyMany(t *table) {
	const many = 3000
	changes := []ipvs.Change{addService(web)}
	rs := server("10.0.0.1:1")
	for n := range many {
		rs.Addr = netip.AddrPortFrom(rs.Addr.Addr(), uint16(1+n))
		changes = append(changes, ipvs.ChangeServer(ipvs.OpAddServer, web, rs))
	}
	t.ok(errors.Join(t.apply(changes)...))
	count := func(want int) {
		t.Helper()
		servers, err := t.Servers(t.ctx, web)
		if err != nil || len(servers) != want {
			t.Errorf("want %d servers, got %d, %v", want, len(servers), err)
		}
	}
	count(many)
	again := slices.Clone(changes)
	again[many/2] = ipvs.ChangeServer(ipvs.OpDeleteServer, web, rs)
	for i, err := range t.apply(again) {
		switch {
		case i == many/2:
			t.ok(err)
		case i == 0:
			t.refused(err, ipvs.ErrServiceExists, ipvs.OpAddService, web.String())
		case i == many: // which was deleted
			t.ok(err)
		default:
			t.refused(err, ipvs.ErrServerExists, ipvs.OpAddServer, again[i].Target())
		}
	}
	count(many)
}
