package check

import (
	"net/netip"
	"time"

	"lvsdeck/ipvs"
)

// Report is what one round of checks came to. It is immutable.
type Report struct {
	Time     time.Time     // when the round ended
	Took     time.Duration // what it cost
	Services int           // that were looked at
	Servers  int
	Findings []Finding // in the order of Sort
	Unread   []string  // what could not be looked at, each a sentence
	Probed   time.Time // when servers were last probed, zero: never
	Blind    []string  // checks that lacked what they go by: what they found before may still be
}

// Counts are how many findings there are of a severity.
type Counts [Fault + 1]int

// Count counts findings.
func Count(all []Finding) (n Counts) {
	for _, f := range all {
		n[f.Severity]++
	}
	return n
}

// Services are all that a finding is about; a zero one stands for the director.
func (f Finding) Services() []ipvs.ServiceID {
	return append([]ipvs.ServiceID{f.Service}, f.Also...)
}

// About tells whether a finding is about a service, or with a server about that
// server or all of the service's.
func (f Finding) About(id ipvs.ServiceID, server netip.AddrPort) bool {
	return f.isOf(id) && (!server.IsValid() || !f.Server.IsValid() || f.Server == server)
}
