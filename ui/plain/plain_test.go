package plain

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
)

// reading is one sample of a small table with the cases that differ on paper.
func reading(t *testing.T) *ops.Sample {
	t.Helper()
	ctx, table := context.Background(), memory.New()
	web := ipvs.NewService(ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443")))
	web.Scheduler, web.SchedFlags = "mh", ipvs.SchedFlag1
	web.Persistence = ipvs.Persistence{On: true, Timeout: 300, Mask: 0xffffff00}
	mark := ipvs.NewService(ipvs.MarkService(7, ipvs.IPv6))
	for _, err := range []error{
		table.AddService(ctx, web),
		table.AddServer(ctx, web.ServiceID, ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.1:443"), Forward: ipvs.Direct, Weight: 100, Upper: 500}),
		table.AddServer(ctx, web.ServiceID, ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.2:443"), Forward: ipvs.TunnelFwd, Tunnel: ipvs.Tunnel{Type: ipvs.GUE, Port: 6080}}),
		table.AddService(ctx, mark),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	table.ObserveServer(web.ServiceID, netip.MustParseAddrPort("10.0.0.1:443"), memory.Observation{
		Active: 41, Inactive: 7,
		Passed: ipvs.Traffic{Conns: 1000, InPackets: 9000, InBytes: 900_000},
		Rate:   ipvs.Traffic{Conns: 12, InPackets: 100, InBytes: 10_000},
	})
	s := ops.NewSampler(table, ops.Options{})
	s.FocusAll()
	return s.Observe(ctx, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
}

func TestTable(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, reading(t), "table"); err != nil {
		t.Fatal(err)
	}
	want := `PROTO  SERVICE           SERVER        SCHED  FWD    WEIGHT  UP   ACTIVE  INACT  CONN/S  BYTE/S IN  BYTE/S OUT
TCP    203.0.113.10:443  -             mh     mixed  -       1/2  41      7      12      10000      -
TCP    203.0.113.10:443  10.0.0.1:443  -      DR     100     -    41      7      12      10000      -
TCP    203.0.113.10:443  10.0.0.2:443  -      TUN    0       -    0       0      0       0          -
FWM    7/IPv6            -             wlc    -      -       0/0  0       0      0       0          0
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, reading(t), "json"); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version  string `json:"ipvs_version"`
		Services []struct {
			Protocol    string
			Address     string
			Port        *int
			Mark        int      `json:"fwmark"`
			Flags       []string `json:"scheduler_flags"`
			Persistence *struct {
				Timeout int `json:"timeout_seconds"`
				Mask    string
			}
			Active  int
			Total   map[string]int
			Servers []struct {
				Address string
				Upper   *int `json:"upper_threshold"`
				Tunnel  *struct {
					Type string
					Port int
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	web, mark := got.Services[0], got.Services[1]
	switch {
	case got.Version != "1.2.1",
		web.Address != "203.0.113.10", web.Port == nil || *web.Port != 443, web.Flags[0] != "mh-fallback",
		web.Persistence == nil || web.Persistence.Timeout != 300 || web.Persistence.Mask != "255.255.255.0",
		web.Active != 41, web.Total["connections"] != 1000, len(web.Servers) != 2,
		web.Servers[0].Upper == nil || *web.Servers[0].Upper != 500, web.Servers[0].Tunnel != nil,
		web.Servers[1].Tunnel == nil || web.Servers[1].Tunnel.Port != 6080,
		mark.Mark != 7, mark.Port != nil, mark.Persistence != nil, mark.Servers == nil:
		t.Errorf("got %+v from\n%s", got, b.String())
	}
}

func TestCheckFormat(t *testing.T) {
	for _, f := range Formats {
		if err := CheckFormat(f); err != nil {
			t.Error(err)
		}
	}
	if err := CheckFormat("xml"); err == nil || !strings.Contains(err.Error(), `"xml": choose one of table, json`) {
		t.Errorf("error %v", err)
	}
}
