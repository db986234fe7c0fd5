package main

import (
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// TestRowWords: what somebody writes is one row, or the error says what it may be.
func TestRowWords(t *testing.T) {
	service := func(p ipvs.Protocol, at string, servers ...string) *ops.Service {
		v := &ops.Service{Service: ipvs.NewService(ipvs.AddressService(p, netip.MustParseAddrPort(at)))}
		for _, s := range servers {
			v.Servers = append(v.Servers, &ops.Server{Server: ipvs.Server{Addr: netip.MustParseAddrPort(s)}})
		}
		return v
	}
	sample := &ops.Sample{Services: []*ops.Service{
		service(ipvs.TCP, "203.0.113.10:80", "10.0.3.11:80", "10.0.3.12:80", "10.0.3.12:81"),
		service(ipvs.TCP, "203.0.113.10:443"),
		service(ipvs.UDP, "203.0.113.53:53"), service(ipvs.TCP, "203.0.113.53:53"),
		{Service: ipvs.NewService(ipvs.MarkService(7, ipvs.IPv4))},
	}}
	for _, c := range []struct {
		words []string
		want  string // the row, or the error
	}{
		{[]string{"203.0.113.10:443"}, "TCP 203.0.113.10:443"},
		{[]string{"udp/203.0.113.53"}, "UDP 203.0.113.53:53"},
		{[]string{"fwm 7"}, "FWM 7"},
		{[]string{"203.0.113.10:80", "10.0.3.11"}, "TCP 203.0.113.10:80 10.0.3.11:80"},
		{[]string{"203.0.113.10:80", "10.0.3.12:81"}, "TCP 203.0.113.10:80 10.0.3.12:81"},
		{[]string{"203.0.113.10:80", "10.0.3.12"}, `server "10.0.3.12": that may be 10.0.3.12:80 or 10.0.3.12:81; say which`},
		{[]string{"203.0.113.10:80", "10.0.3.13"}, `server "10.0.3.13": TCP 203.0.113.10:80 has no such server`},
		{[]string{"203.0.113.53:53"}, `service "203.0.113.53:53": that may be UDP 203.0.113.53:53 or TCP 203.0.113.53:53; say which`},
		{[]string{"203.0.113.11"}, `service "203.0.113.11": the table has no such service`},
		{[]string{"203.0.113.10:80", "web1"}, `server "web1": give an address (10.0.3.11) or an address and port (10.0.3.11:443, [2001:db8::1]:443)`},
	} {
		row, err := parseRow(c.words)
		got := ""
		if err == nil {
			at, not := row.in(sample)
			if got, err = at.Service.String(), not; at.Server.IsValid() {
				got += " " + at.Server.String()
			}
		}
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.words, got, c.want)
		}
	}
}
