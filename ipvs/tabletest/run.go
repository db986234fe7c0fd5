package tabletest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"lvsdeck/ipvs"
)

// Run runs the contract. open gives an empty table, a new one for each test, in
// which the network interface lo is up, and closes it by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) ipvs.Table) {
	for _, test := range []struct {
		name string
		run  func(*table)
	}{
		{"NewTable", testNewTable},
		{"ServiceFields", testServiceFields},
		{"ServiceEdit", testServiceEdit},
		{"ServiceIdentity", testServiceIdentity},
		{"ServiceErrors", testServiceErrors},
		{"ServerFields", testServerFields},
		{"ServerEdit", testServerEdit},
		{"ServerErrors", testServerErrors},
		{"ServersOfMissingService", testServersOfMissingService},
		{"DeleteServiceDeletesServers", testDeleteServiceDeletesServers},
		{"Overview", testOverview},
		{"Zero", testZero},
		{"Flush", testFlush},
		{"Timeouts", testTimeouts},
		{"Daemons", testDaemons},
		{"DaemonErrors", testDaemonErrors},
		{"MixedFamiliesAndDaemons", testMixedFamiliesAndDaemons},
		{"RandomFields", testRandomFields},
		{"RandomWalk", testRandomWalk},
		{"Apply", testApply},
		{"ApplyMany", testApplyMany},
		{"Concurrent", testConcurrent},
		{"Cancelled", testCancelled},
		{"Closed", testClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(&table{T: t, Table: open(t), ctx: t.Context()})
		})
	}
}

// table is a table under test, with the steps that tests are made of.
type table struct {
	*testing.T
	ipvs.Table
	ctx context.Context
}

// ok stops the test on an error.
func (t *table) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks an error's kind, and that it names the operation and target.
func (t *table) refused(err, kind error, op ipvs.Op, target string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s %s:\n want %q\n got  %v", op, target, kind, err)
		return
	}
	var e *ipvs.Error
	if !errors.As(err, &e) {
		t.Errorf("%s %s: want an *ipvs.Error, got %T", op, target, err)
	} else if e.Op != op || e.Target != target {
		t.Errorf("the error should name what was asked:\n want %q of %q\n got  %q of %q", op, target, e.Op, e.Target)
	}
}

// holdsService reads a service back and compares every field.
func (t *table) holdsService(want ipvs.Service) {
	t.Helper()
	got, err := t.Service(t.ctx, want.ServiceID)
	t.ok(err)
	if got.Partial {
		t.Errorf("%s is Partial, want all of it", want)
	}
	t.same(want.String(), want, got.Service)
}

// holdsServers reads a service's servers back and compares every field.
func (t *table) holdsServers(id ipvs.ServiceID, want ...ipvs.Server) {
	t.Helper()
	states, err := t.Servers(t.ctx, id)
	t.ok(err)
	got := make([]ipvs.Server, len(states))
	for i, s := range states {
		got[i] = s.Server
		if s.Partial {
			t.Errorf("%s is Partial, want all of it", ipvs.ServerTarget(id, s.Server))
		}
	}
	t.same("servers of "+id.String(), serverText(want), serverText(got))
}

// same compares two values field by field.
func (t *table) same(what string, want, got any) {
	t.Helper()
	if lines := diff(want, got); len(lines) > 0 {
		t.Errorf("%s is not what it should be:\n%s", what, strings.Join(lines, "\n"))
	}
}
