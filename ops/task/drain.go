package task

import (
	"fmt"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// Point is how many connections a server had at a time.
type Point struct {
	At               time.Time
	Active, Inactive uint64
}

// Verdict is what can be said about a server being drained.
type Verdict struct {
	Left     string   // "12 active, 3 inactive, 5 templates"
	Trend    string   // "falling 4/min", or "" when that is not known
	Estimate string   // "about 4 min left", "no end in sight", "empty"
	Why      []string // why connections stay, the weightiest reason first

	// Held: persistence brings clients back, which ends with
	// expire_quiescent_template.
	Held bool
}

// Judge says what is left of a drained server, when it will be empty, and why it
// is not yet. past ends with the present.
func Judge(svc *ops.Service, s *ops.Server, past []Point, set Settings) Verdict {
	v := Verdict{Left: leftText(svc, s)}
	v.Held = svc.Persistence.On && !set.endsTemplates() && (s.Persistent > 0 || !s.Counted || s.Active+s.Inactive > 0)
	out := outlookOn(past, s.Active > 0)
	switch {
	case s.Active+s.Inactive == 0:
		v.Estimate = "empty"
	case s.Active == 0 && svc.Protocol == ipvs.TCP && !v.Held:
		v.Trend, v.Estimate = out.trend(), "at most "+span(set.closing())+" left"
	default:
		v.Trend, v.Estimate = out.trend(), out.estimate()
	}
	v.Why = reasons(svc, s, set, v.Held)
	return v
}

// outlookOn looks at the active connections while there are any: the others
// follow them.
func outlookOn(past []Point, active bool) outlook {
	at, n := make([]time.Time, len(past)), make([]float64, len(past))
	for i, p := range past {
		at[i], n[i] = p.At, float64(p.Inactive)
		if active {
			n[i] = float64(p.Active)
		}
	}
	return outlookOf(at, n)
}

func leftText(svc *ops.Service, s *ops.Server) string {
	left := fmt.Sprintf("%d active, %d inactive", s.Active, s.Inactive)
	if svc.Persistence.On && s.Counted {
		left += ", " + count(s.Persistent, "template")
	}
	return left
}

func reasons(svc *ops.Service, s *ops.Server, set Settings, held bool) (why []string) {
	if held {
		why = append(why, fmt.Sprintf("persistence brings clients back (%d s)", svc.Persistence.Timeout))
	}
	tcp, udp := svc.Protocol == ipvs.TCP, svc.Protocol == ipvs.UDP
	if s.Active > 0 {
		why = append(why, "active end when closed or idle "+span(seconds(set.timeouts().TCP)))
	}
	idle := span(seconds(set.timeouts().UDP))
	switch {
	case s.Inactive == 0:
	case tcp:
		why = append(why, "inactive end within "+span(set.closing()))
	case udp:
		why = append(why, "UDP never closes: entries end "+idle+" after the last packet")
	default:
		why = append(why, "inactive end within "+span(set.closing())+", UDP "+idle+" after the last packet")
	}
	return why
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// count is "1 template", "3 templates".
func count(n uint64, one string) string {
	if n != 1 {
		one += "s"
	}
	return fmt.Sprintf("%d %s", n, one)
}
