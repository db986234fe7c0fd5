package memory

import (
	"net/netip"

	"lvsdeck/ipvs"
)

// Estimator is how the kernel's estimator does.
type Estimator uint8

// What an estimator can be.
const (
	Running Estimator = iota
	Off               // stands still, and Info says so
	Stuck             // stands still, and nothing says so
)

// SetEstimator starts or stops the estimator. While it stands, totals and rates
// do too, and what passes is lost to them; connections and LivePackets move.
func (t *Table) SetEstimator(e Estimator) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.estimator = e
	t.info.EstimatorOff = e == Off
}

// Observation is what goes on at one real server.
type Observation struct {
	Active, Inactive, Persistent uint32 // connections now

	Passed ipvs.Traffic // since the last one; adds to the totals of server, service and table
	Rate   ipvs.Traffic // the server's now; that of service and table follow
}

// Observe shows every service with its servers, oldest first, to see, which
// answers with one Observation for each server, or nil to leave the service as
// it is. See must neither keep the servers nor call the table.
func (t *Table) Observe(see func(ipvs.Service, []ipvs.ServerState) []Observation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, svc := range t.services {
		for i, o := range see(svc.Service, svc.servers) {
			t.observe(svc, &svc.servers[i], &o)
		}
	}
}

// ObserveServer does for one server what Observe does for all. It tells whether
// the server is there.
func (t *Table) ObserveServer(id ipvs.ServiceID, addr netip.AddrPort, o Observation) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	svc := t.byID[id]
	if svc == nil {
		return false
	}
	i := svc.find(ipvs.Server{Addr: addr})
	if i < 0 {
		return false
	}
	t.observe(svc, &svc.servers[i], &o)
	return true
}

func (t *Table) observe(svc *service, s *ipvs.ServerState, o *Observation) {
	s.Active, s.Inactive, s.Persistent = o.Active, o.Inactive, o.Persistent
	t.live += o.Passed.InPackets + o.Passed.OutPackets
	if t.estimator != Running {
		return
	}
	before := s.Stats.Rate
	for _, stats := range []*ipvs.Stats{&s.Stats, &svc.stats, &t.stats} {
		stats.Total = stats.Total.Add(o.Passed)
		stats.Rate = minus(stats.Rate, before).Add(o.Rate)
	}
}

// dropRates takes servers that go, or begin anew, out of the table's rate.
func (t *Table) dropRates(servers ...ipvs.ServerState) {
	for _, s := range servers {
		t.stats.Rate = minus(t.stats.Rate, s.Stats.Rate)
	}
}

// minus takes one rate out of a sum. A sum that was zeroed on its own is smaller
// than its parts, so it stops at 0.
func minus(t, o ipvs.Traffic) ipvs.Traffic {
	return ipvs.Traffic{
		Conns:      t.Conns - min(t.Conns, o.Conns),
		InPackets:  t.InPackets - min(t.InPackets, o.InPackets),
		OutPackets: t.OutPackets - min(t.OutPackets, o.OutPackets),
		InBytes:    t.InBytes - min(t.InBytes, o.InBytes),
		OutBytes:   t.OutBytes - min(t.OutBytes, o.OutBytes),
	}
}
