package task

import (
	"fmt"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// Settings are what the director does about connections that stay.
type Settings struct {
	Timeouts  ipvs.Timeouts // 0: not known
	Templates Switch        // net.ipv4.vs.expire_quiescent_template
	Nodest    Switch        // net.ipv4.vs.expire_nodest_conn
}

// Switch is a setting that is on or off, as far as it is known.
type Switch uint8

// The positions of a switch.
const (
	Unread Switch = iota
	Off
	On
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

// closing is how long the kernel keeps a TCP connection that is not established
// at the most: SYN_SENT and TIME_WAIT, which cannot be set.
const closing = 120 * time.Second

// The kernel's own timeouts, for when the present ones are not known.
var usual = ipvs.Timeouts{TCP: 900, TCPFin: 120, UDP: 300}

// Judge says what is left of a drained server, when it will be empty, and why it
// is not yet. past ends with the present.
func Judge(svc *ops.Service, s *ops.Server, past []Point, set Settings) Verdict {
	v := Verdict{Left: leftText(svc, s)}
	v.Held = svc.Persistence.On && set.Templates != On && (s.Persistent > 0 || !s.Counted || s.Active+s.Inactive > 0)
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
		why = append(why, fmt.Sprintf("persistence brings its clients back, until %d s after their last connection", svc.Persistence.Timeout))
	}
	tcp, udp := svc.Protocol == ipvs.TCP, svc.Protocol == ipvs.UDP
	if s.Active > 0 {
		why = append(why, "connections stay until they close, or are idle for "+span(seconds(set.timeouts().TCP)))
	}
	idle := span(seconds(set.timeouts().UDP))
	switch {
	case s.Inactive == 0:
	case tcp:
		why = append(why, "inactive ones end within "+span(set.closing()))
	case udp:
		why = append(why, "UDP never closes: an entry ends "+idle+" after its last packet")
	default:
		why = append(why, "inactive ones end within "+span(set.closing())+", UDP "+idle+" after the last packet")
	}
	return why
}

func (s Settings) timeouts() ipvs.Timeouts {
	if s.Timeouts == (ipvs.Timeouts{}) {
		return usual
	}
	return s.Timeouts
}

func (s Settings) closing() time.Duration { return max(closing, seconds(s.timeouts().TCPFin)) }

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// count is "1 template", "3 templates".
func count(n uint64, one string) string {
	if n != 1 {
		one += "s"
	}
	return fmt.Sprintf("%d %s", n, one)
}
