package pulse

import (
	"fmt"
	"math"
)

// What says in a few words what is unusual: "conn/s 6 times as many".
func (r Row) What() string {
	switch r.Kind {
	case Conns:
		return "conn/s " + r.times()
	case Active:
		return "active " + r.times()
	case HalfOpen:
		return "handshakes not finished"
	case Client:
		return "much from one client"
	case Net:
		return "much from one network"
	}
	return r.Short + r.inServices()
}

// times is by how much a figure strays from its usual.
func (r Row) times() string {
	switch {
	case r.More() && r.Usual < 1:
		return "from nothing"
	case r.More():
		return fmt.Sprintf("%.0f times as many", math.Round(r.Now/r.Usual))
	case r.Now < 1:
		return "down to none"
	case 100*r.Now < r.Usual:
		return "down to under 1 %"
	}
	return fmt.Sprintf("down to %.0f %%", 100*r.Now/r.Usual)
}
