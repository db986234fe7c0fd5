package task

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func drained(active, inactive uint64) *ops.Server {
	s := &ops.Server{Server: ipvs.Server{Addr: at("10.0.0.1:80")}}
	s.Active, s.Inactive, s.Counted = active, inactive, true
	return s
}

func service(p ipvs.Protocol) *ops.Service {
	id := ipvs.AddressService(p, at("203.0.113.10:80"))
	if p == 0 {
		id = ipvs.MarkService(7, ipvs.IPv4)
	}
	return &ops.Service{Service: ipvs.NewService(id)}
}

func sticky() *ops.Service {
	s := service(ipvs.TCP)
	s.Persistence.On, s.Persistence.Timeout = true, 360
	return s
}

// falling is five minutes of connections that get fewer by one each 5 s.
func falling(to *ops.Server) (past []Point) {
	for i := range 61 {
		n := uint64(60 - i)
		past = append(past, Point{noon.Add(time.Duration(i) * watchEvery), to.Active + n, to.Inactive + n})
	}
	return past
}

func TestJudge(t *testing.T) {
	held := drained(0, 0)
	held.Persistent = 5
	unread := drained(0, 0)
	unread.Counted = false
	for name, c := range map[string]struct {
		service  *ops.Service
		server   *ops.Server
		settings Settings
		left     string
		estimate string
		why      []string
		held     bool
	}{
		"empty":            {service(ipvs.TCP), drained(0, 0), Settings{}, "0 active, 0 inactive", "empty", nil, false},
		"long-lived":       {service(ipvs.TCP), drained(12, 0), Settings{}, "12 active, 0 inactive", "about 1 min left", []string{"idle 15 min"}, false},
		"own timeout":      {service(ipvs.TCP), drained(12, 0), Settings{Timeouts: ipvs.Timeouts{TCP: 7200, TCPFin: 30, UDP: 10}}, "12 active, 0 inactive", "about 1 min left", []string{"idle 2 h"}, false},
		"closing":          {service(ipvs.TCP), drained(0, 3), Settings{}, "0 active, 3 inactive", "at most 2 min left", []string{"inactive end within 2 min"}, false},
		"closing slowly":   {service(ipvs.TCP), drained(0, 3), Settings{Timeouts: ipvs.Timeouts{TCP: 900, TCPFin: 600, UDP: 300}}, "0 active, 3 inactive", "at most 10 min left", []string{"within 10 min"}, false},
		"udp":              {service(ipvs.UDP), drained(0, 12), Settings{}, "0 active, 12 inactive", "about 1 min left", []string{"UDP never closes: entries end 5 min after"}, false},
		"mark":             {service(0), drained(2, 3), Settings{}, "2 active, 3 inactive", "about 10 s left", []string{"when closed", "UDP 5 min after"}, false},
		"sticky":           {sticky(), drained(4, 0), Settings{Templates: "0"}, "4 active, 0 inactive, 0 templates", "about 20 s left", []string{"persistence brings clients back (360 s)", "when closed"}, true},
		"sticky, not read": {sticky(), drained(4, 0), Settings{}, "4 active, 0 inactive, 0 templates", "about 20 s left", []string{"persistence", "when closed"}, true},
		"sticky, ended":    {sticky(), drained(4, 0), Settings{Templates: "1"}, "4 active, 0 inactive, 0 templates", "about 20 s left", []string{"when closed"}, false},
		"templates only":   {sticky(), held, Settings{Templates: "0"}, "0 active, 0 inactive, 5 templates", "empty", []string{"persistence"}, true},
		"templates unread": {sticky(), unread, Settings{Templates: "0"}, "0 active, 0 inactive", "empty", []string{"persistence"}, true},
		"nothing sticks":   {sticky(), drained(0, 0), Settings{Templates: "0"}, "0 active, 0 inactive, 0 templates", "empty", nil, false},
	} {
		v := Judge(c.service, c.server, falling(c.server), c.settings)
		why := slices.EqualFunc(v.Why, c.why, strings.Contains)
		if v.Left != c.left || v.Estimate != c.estimate || v.Held != c.held || !why {
			t.Errorf("%s:\n got %+v\nwant %q %q %q held %v", name, v, c.left, c.estimate, c.why, c.held)
		}
	}
}

func TestWatchForgetsAndThins(t *testing.T) {
	var w watch
	svc, s := service(ipvs.TCP), drained(9, 0)
	svc.Servers = []*ops.Server{s}
	look := func(i int) {
		w.add(&ops.Sample{Time: noon.Add(time.Duration(i) * time.Second), Services: []*ops.Service{svc}})
	}
	for i := range 1000 {
		look(i)
		look(i) // the same moment amended
	}
	points := w.tracks[Key{svc.ServiceID, s.Addr}].points
	if n := len(points); n < 55 || n > 65 || points[n-1].At != noon.Add(999*time.Second) || points[n-1].At.Sub(points[0].At) > watchSpan {
		t.Errorf("1000 samples leave %d points, %v to %v", n, points[0].At, points[n-1].At)
	}
	s.Weight = 5
	look(1000)
	if _, ok := w.verdict(svc, s); ok || !w.idle() {
		t.Error("a server with a weight is still watched")
	}
}
