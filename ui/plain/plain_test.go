package plain

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
	"lvsdeck/persist"
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

// remembering is a store that knows a name, a note and what a server weighed.
func remembering(t *testing.T, s *ops.Sample) *persist.Store {
	t.Helper()
	store, err := persist.Open(persist.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	web := s.Services[0]
	drained := persist.ServerKey(web.ServiceID, web.Servers[1].Addr)
	err = store.Labels().Update(func(all map[string]persist.Label) {
		all[persist.ServiceKey(web.ServiceID)] = persist.Label{Name: "=1+1", Note: "-2\x1b[2J, \"quoted\""}
		all[drained] = persist.Label{Name: "shop-2"}
	})
	if err == nil {
		err = store.Weights().Update(func(all map[string]persist.Weight) { all[drained] = persist.Weight{Meant: 30} })
	}
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func listed(t *testing.T, width int, format string) string {
	t.Helper()
	l := Listing{Sample: reading(t), Width: width}
	if err := l.Recall(remembering(t, l.Sample)); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := l.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTable(t *testing.T) {
	want := `PROTO  SERVICE           SERVER        SCHED  FWD    WEIGHT  UP   ACTIVE  INACT  CONN/S  BYTE/S IN  BYTE/S OUT  STATE
TCP    203.0.113.10:443  -             mh     mixed  -       1/2  41      7      12      10000      -           part
TCP    203.0.113.10:443  10.0.0.1:443  -      DR     100     -    41      7      12      10000      -           up
TCP    203.0.113.10:443  10.0.0.2:443  -      TUN    0       -    0       0      0       0          -           drained
FWM    7/IPv6            -             wlc    -      -       0/0  0       0      0       0          0           down
`
	if got := listed(t, 0, "table"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := listed(t, 500, "table"); got != want {
		t.Errorf("on a wide terminal:\n%s", got)
	}
}

// TestTableFits: what goes first is what matters least, and every line fits.
func TestTableFits(t *testing.T) {
	for width, head := range map[int]string{
		108: "PROTO SERVICE SERVER SCHED FWD WEIGHT UP ACTIVE INACT CONN/S BYTE/S IN STATE",
		80:  "PROTO SERVICE SERVER FWD WEIGHT UP ACTIVE INACT CONN/S",
		60:  "PROTO SERVICE SERVER WEIGHT UP ACTIVE",
		44:  "SERVICE SERVER WEIGHT ACTIVE",
	} {
		got := listed(t, width, "table")
		if first, _, _ := strings.Cut(got, "\n"); strings.Join(strings.Fields(first), " ") != head {
			t.Errorf("at %d the columns are %q, want %q", width, strings.Join(strings.Fields(first), " "), head)
		}
		for line := range strings.Lines(got) {
			if len(strings.TrimSuffix(line, "\n")) > width {
				t.Errorf("at %d: %q", width, line)
			}
		}
	}
	if got := listed(t, 44, "table"); !strings.Contains(got, "203.0...10:443") {
		t.Errorf("addresses lose their middle last:\n%s", got)
	}
}

// TestCSV: what is not known is an empty cell, and text from outside is no
// formula.
func TestCSV(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(listed(t, 0, CSV))).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	cell := func(row int, column string) string {
		t.Helper()
		i := slices.Index(rows[0], column)
		if i < 0 {
			t.Fatalf("no column %q in %q", column, rows[0])
		}
		return rows[row][i]
	}
	for _, c := range []struct {
		row          int
		column, want string
	}{
		{1, "service", "203.0.113.10:443"}, {1, "server", ""}, {1, "name", "'=1+1"}, {1, "note", `'-2[2J, "quoted"`},
		{1, "state", "part"}, {1, "servers_up", "1"}, {1, "servers", "2"}, {1, "scheduler", "mh"}, {1, "weight", ""},
		{2, "server", "10.0.0.1:443"}, {2, "state", "up"}, {2, "upper", "500"}, {2, "conns", "1000"}, {2, "out_bytes", ""}, {2, "active", "41"},
		{3, "name", "shop-2"}, {3, "state", "drained"}, {3, "weight", "0"}, {3, "weight_meant", "30"}, {2, "weight_meant", ""},
		{4, "proto", "FWM"}, {4, "state", "down"},
	} {
		if got := cell(c.row, c.column); got != c.want {
			t.Errorf("row %d: %s is %q, want %q", c.row, c.column, got, c.want)
		}
	}
}

func TestSheetSafe(t *testing.T) {
	for in, want := range map[string]string{"": "", "web": "web", "=A1": "'=A1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "a=1": "a=1", "é": "é"} {
		if got := sheetSafe(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	text := listed(t, 80, "json")
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
			Name    string
			State   string
			Total   map[string]int
			Servers []struct {
				Address string
				State   string
				Meant   int  `json:"weight_meant"`
				Upper   *int `json:"upper_threshold"`
				Tunnel  *struct {
					Type string
					Port int
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	web, mark := got.Services[0], got.Services[1]
	switch {
	case got.Version != "1.2.1",
		web.Address != "203.0.113.10", web.Port == nil || *web.Port != 443, web.Flags[0] != "mh-fallback",
		web.Persistence == nil || web.Persistence.Timeout != 300 || web.Persistence.Mask != "255.255.255.0",
		web.Active != 41, web.Total["connections"] != 1000, len(web.Servers) != 2,
		web.Servers[0].Upper == nil || *web.Servers[0].Upper != 500, web.Servers[0].Tunnel != nil,
		web.Name != "=1+1", web.State != "part", web.Servers[0].State != "up", web.Servers[0].Meant != 0,
		web.Servers[1].State != "drained", web.Servers[1].Meant != 30,
		web.Servers[1].Tunnel == nil || web.Servers[1].Tunnel.Port != 6080,
		mark.Mark != 7, mark.Port != nil, mark.Persistence != nil, mark.Servers == nil:
		t.Errorf("got %+v from\n%s", got, text)
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
