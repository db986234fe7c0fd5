package ui

import (
	"strings"
	"testing"

	"lvsdeck/ui/services"
)

// TestSortByEveryColumn goes once around all columns: services, and servers
// within theirs, stand in the column's order, and the title has the arrow.
func TestSortByEveryColumn(t *testing.T) {
	// The first two services and the servers of 203.0.113.10:443 or .25:25, when
	// first sorted by the column.
	want := map[string]string{
		"service":     "203.0.113.10:443 203.0.113.25:25 | 11 12 13 14",
		"scheduler":   "[2001:db8:1111:2222:3333:4444:5555:6666]:8443 203.0.113.53:53 | 13 11 12 14",
		"forward":     "203.0.113.25:25 203.0.113.53:53 | 11 12 13 14",
		"up":          "203.0.113.80:80 203.0.113.25:25 | 13 11 12 14",
		"active":      "203.0.113.10:443 7 | 14 11 12 13",
		"inactive":    "203.0.113.10:443 203.0.113.53:53 | 14 12 11 13",
		"templates":   "203.0.113.10:443 203.0.113.25:25 | 11 12 13 14",
		"persistence": "[2001:db8:1111:2222:3333:4444:5555:6666]:8443 203.0.113.10:443 | 11 12 13 14",
		"limit":       "203.0.113.25:25 203.0.113.10:443 | 11 12 13 14",
		"tunnel":      "203.0.113.10:443 203.0.113.25:25 | 11 12 13 14",
		"conn/s":      "203.0.113.53:53 203.0.113.10:443 | 11 14 12 13",
		"pkt/s in":    "203.0.113.53:53 203.0.113.10:443 | 11 14 12 13",
		"pkt/s out":   "203.0.113.53:53 203.0.113.25:25 | 11 12 13 14",
		"bit/s in":    "203.0.113.53:53 203.0.113.10:443 | 11 14 12 13",
		"bit/s out":   "203.0.113.53:53 203.0.113.25:25 | 11 12 13 14",
		"connections": "203.0.113.53:53 203.0.113.10:443 | 11 14 12 13",
		"packets in":  "203.0.113.53:53 203.0.113.10:443 | 11 14 12 13",
		"packets out": "203.0.113.53:53 203.0.113.25:25 | 11 12 13 14",
		"bytes in":    "203.0.113.53:53 203.0.113.10:443 | 11 14 12 13",
		"bytes out":   "203.0.113.53:53 203.0.113.25:25 | 11 12 13 14",
		"trend":       "203.0.113.53:53 203.0.113.10:443 | 11 14 12 13",
	}
	if len(want) != len(services.Columns) {
		t.Errorf("%d columns, %d expectations", len(services.Columns), len(want))
	}
	m, _ := console(t, site(), 230, 50, nil)
	press(m, "o")
	for range services.Columns {
		press(m, ">")
		id, before := m.list.Sort().Column.ID, shown(m)
		if got := firsts(m); got != want[id] {
			t.Errorf("sort by %s: %s, want %s", id, got, want[id])
		}
		delete(want, id)
		if header := strings.Split(grid(m), "\n")[3]; !strings.ContainsAny(header, "▲▼") {
			t.Errorf("sort by %s: no arrow in %q", id, header)
		}
		press(m, "r", "r")
		if after := shown(m); after != before {
			t.Errorf("sort by %s: turned around twice %q, before %q", id, after, before)
		}
	}
	if len(want) > 0 {
		t.Errorf("never sorted by %v", want)
	}
}

// firsts is the first two services, and the last numbers of the addresses of the
// first one's servers under 10.0.3.
func firsts(m *Model) string {
	var names, servers []string
	for i := range m.list.Len() {
		row := m.list.Row(i)
		if row.Server == nil && len(names) < 2 {
			names = append(names, row.Service.Name)
		}
		if row.Server != nil && row.Service.Name == "203.0.113.10:443" {
			servers = append(servers, strings.TrimSuffix(strings.TrimPrefix(row.Server.Name, "10.0.3."), ":443"))
		}
	}
	return strings.Join(names, " ") + " | " + strings.Join(servers, " ")
}

func TestSortByConnRate(t *testing.T) {
	m, _ := console(t, site(), 80, 50, nil)
	for m.list.Sort().Column == nil || m.list.Sort().Column.ID != "conn/s" {
		press(m, ">")
	}
	if got, want := shown(m), "203.0.113.53:53 203.0.113.10:443 7 203.0.113.25:25 [2001:db8:1111:2222:3333:4444:5555:6666]:8443 203.0.113.80:80"; got != want {
		t.Errorf("largest first: %q, want %q", got, want)
	}
	if !strings.Contains(grid(m), "▼CONN/S") {
		t.Error("the direction is not shown")
	}
}
