package demo_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/ops"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/demo"
)

var _ conns.Source = (*demo.Demo)(nil)

func connections(t *testing.T, d *demo.Demo, q conns.Query) *conns.Result {
	t.Helper()
	in, err := d.Connections(true)
	must(t, err)
	defer in.Close()
	r, err := conns.Read(t.Context(), in, q)
	must(t, err)
	if r.Read.Bad > 0 {
		t.Errorf("%d lines are no connections: %v", r.Read.Bad, r.Read.FirstBad)
	}
	return r
}

// TestConnectionsAreThoseOfTheTable: as many of each server as it says.
func TestConnectionsAreThoseOfTheTable(t *testing.T) {
	for _, kind := range []demo.Kind{demo.Steady, demo.Incident} {
		s := open(t, kind)
		now := s.after(time.Minute)
		view, err := s.Table().Overview(t.Context())
		must(t, err)
		r := connections(t, s.Demo, conns.Query{By: conns.AllBy(), Listed: conns.ListedIn(view)})
		if r.Gone != (conns.Counts{}) {
			t.Errorf("%s: %+v of servers that the table does not have", kind, r.Gone)
		}
		for _, g := range r.Ranking(conns.ByServer).Groups {
			svc := find(t, now, g.Service)
			i := slices.IndexFunc(svc.Servers, func(s *ops.Server) bool { return s.Addr.Addr() == g.Server.Addr() })
			if i < 0 {
				t.Fatalf("%s: %s has no server %s", kind, g.Service, g.Server)
			}
			if row := svc.Servers[i]; !g.Service.IsMark() && (g.Conns != row.Active+row.Inactive || g.Templates != row.Persistent) {
				t.Errorf("%s: %s of %s has %d connections and %d templates, want %d and %d", kind, g.Server, g.Service,
					g.Conns, g.Templates, row.Active+row.Inactive, row.Persistent)
			}
		}
		for _, g := range r.Ranking(conns.ByClient).Groups {
			if !madeUp(g.Client.Addr()) {
				t.Errorf("%s: %s may be somebody's", kind, g.Client)
			}
		}
	}
}

// madeUp tells addresses that nobody has of his own.
func madeUp(a netip.Addr) bool {
	for _, p := range []string{"100.64.0.0/10", "2001:db8::/32"} {
		if netip.MustParsePrefix(p).Contains(a) {
			return true
		}
	}
	return false
}

// TestIncidentHasCulprits: who makes the incident comes first.
func TestIncidentHasCulprits(t *testing.T) {
	s := open(t, demo.Incident)
	s.after(time.Minute)
	of := func(id ipvs.ServiceID, by conns.By) (string, float64) {
		r := connections(t, s.Demo, conns.Query{By: []conns.By{by}, Top: 3, Filter: conns.Filter{Service: id}})
		g := r.Rankings[0].Groups[0]
		return g.Name(by), r.Share(g.Counts)
	}
	if name, share := of(dns, conns.ByNet); name != "100.66.77.0/24" || share < .5 {
		t.Errorf("the network of the surge is %s with %.2f", name, share)
	}
	if name, share := of(api, conns.ByClient); name != "100.70.12.34" || share < .1 {
		t.Errorf("the hog is %s with %.2f", name, share)
	}
	r := connections(t, s.Demo, conns.Query{By: []conns.By{conns.ByServer}, Filter: conns.Filter{State: "SYN_RECV"}, Top: 1})
	if g := r.Rankings[0].Groups[0]; g.Server.String() != "10.0.3.12:443" {
		t.Errorf("the dead server is not %s", g.Server)
	}
}

// TestConnectionsStandStill: two readings of one moment are the same.
func TestConnectionsStandStill(t *testing.T) {
	s := open(t, demo.Steady)
	q := conns.Query{By: []conns.By{conns.ByClient}, Filter: conns.Filter{Origin: proc.OriginLocal}}
	a, b := connections(t, s.Demo, q), connections(t, s.Demo, q)
	if !slices.Equal(a.Rankings[0].Groups, b.Rankings[0].Groups) {
		t.Error("they differ")
	}
}
