package lab

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// TestDirector has ipvsadm set up a service and sees every server answer
// through the VIP.
func TestDirector(t *testing.T) {
	Require(t)
	for _, mode := range []Mode{NAT, DR, TUN} {
		for _, v6 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/v6=%v", mode, v6), func(t *testing.T) {
				s := Director(t, mode, 3, v6)
				balance(s, "-t", HTTPPort)
				balance(s, "-t", TCPPort)
				balance(s, "-u", UDPPort)

				everyone(t, s, func() (string, error) { return s.Client.HTTPGet(s.At(HTTPPort)) })
				everyone(t, s, func() (string, error) { return s.Client.Ask("tcp", s.At(TCPPort)) })
				everyone(t, s, func() (string, error) { return s.Client.Ask("udp", s.At(UDPPort)) })

				table := s.Director.Ipvsadm("-Ln")
				for _, a := range s.Addrs {
					if n := strings.Count(table, a.String()); n != 3 {
						t.Errorf("ipvsadm shows %v %d times, not in 3 services:\n%s", a, n, table)
					}
				}
			})
		}
	}
}

func balance(s *Site, proto string, port uint16) {
	s.Director.Ipvsadm("-A", proto, s.At(port), "-s", "rr")
	for _, a := range s.Addrs {
		s.Director.Ipvsadm("-a", proto, s.At(port), "-r", netip.AddrPortFrom(a, port).String(), s.Mode.Flag())
	}
}

// everyone asks as often as a fair scheduler needs to reach everybody twice.
func everyone(t *testing.T, s *Site, ask func() (string, error)) {
	t.Helper()
	answers, err := Tally(2*len(s.Servers), ask)
	if err != nil {
		t.Fatalf("after %v: %v\n%s", answers, err, s.Director.Ipvsadm("-Lnc"))
	}
	for _, h := range s.Servers {
		if answers[h.Name] != 2 {
			t.Errorf("answers: %v, want every server twice", answers)
		}
	}
}
