package services

import "lvsdeck/ops/check"

// The signs of rows about which something was found, and of how much was.
const (
	FaultSign   = "F"
	WarningSign = "W"
)

// Findings are the worst of what checks found about rows, a service's with those of
// its servers.
type Findings map[Key]check.Severity

// NewFindings sorts findings by rows. Those about the whole director are of none.
func NewFindings(all []check.Finding) Findings {
	f := Findings{}
	for _, one := range all {
		for _, id := range one.Services() {
			f[Key{Service: id}] = max(f[Key{Service: id}], one.Severity)
		}
		service := Key{Service: one.Service}
		if at := (Key{one.Service, one.Server}); at != service {
			f[at] = max(f[at], one.Severity)
		}
	}
	return f
}

// SetFindings shows other findings.
func (l *List) SetFindings(f Findings) {
	l.worst = f
	if l.problems {
		l.arrange()
	}
}

// wrong tells that something is, and not only good to know, or that a threshold is
// crossed.
func (l *List) wrong(k Key) bool { return l.worst[k] > check.Notice || l.crossed[k] }
