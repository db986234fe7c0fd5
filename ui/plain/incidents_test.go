package plain

import (
	"encoding/csv"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/incident"
	"lvsdeck/persist"
)

// someIncidents are one of each kind, of which some were written by hands that mean ill.
func someIncidents() []incident.Entry {
	at := time.Date(2026, 3, 1, 14, 3, 11, 0, time.Local)
	since := at.Add(-6 * time.Second)
	web := alarm.Row{Service: ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))}
	one := alarm.Row{Service: web.Service, Server: netip.MustParseAddrPort("10.0.3.11:443")}
	rate := alarm.Threshold{Row: web, Figure: alarm.ConnRate, Limit: 5000, Hold: 3}
	share := alarm.Threshold{Row: one, Figure: alarm.ShareNew, Limit: 60, Hold: 1}
	bits := alarm.Threshold{Figure: alarm.InBits, Below: true, Limit: 2_000_000_000, Hold: 1}
	alice := persist.Who{User: "alice", From: "198.51.100.7"}
	return []incident.Entry{
		{Time: at.Add(9 * time.Minute), Kind: incident.Noted, Text: "called the \x1b[31mnetwork\u202e people\nat 14:10", By: persist.Who{User: "bob\x1b[2J"}},
		{Time: at.Add(8 * time.Minute), Kind: incident.Gone, Row: web, ID: "b", Text: "VIP is not local", Severity: "fault", By: alice},
		{Time: at.Add(7 * time.Minute), Kind: incident.Found, Row: web, ID: "b", Text: "VIP is not local", Severity: "fault", By: alice},
		{Time: at.Add(6 * time.Minute), Kind: incident.Crossed, ID: "d", Threshold: &bits, Value: 1_500_000_000, By: alice},
		{Time: at.Add(5 * time.Minute), Kind: incident.Ended, Row: one, ID: "c", Threshold: &share, Left: true, By: alice},
		{Time: at.Add(4 * time.Minute), Kind: incident.Crossed, Row: one, ID: "c", Threshold: &share, Value: 71.4, By: alice},
		{Time: at.Add(2 * time.Minute), Kind: incident.Ended, Row: web, ID: "a", Threshold: &rate, Value: 4310, By: alice},
		{Time: at, Kind: incident.Crossed, Row: web, ID: "a", Threshold: &rate, Value: 7210, Since: &since, By: alice},
	}
}

func TestIncidentsTable(t *testing.T) {
	var b strings.Builder
	if err := Incidents(&b, someIncidents(), 2, "table"); err != nil {
		t.Fatal(err)
	}
	want := `TIME                 WHAT     USER     ROW                                     TEXT
2026-03-01 14:12:11  note     bob[2J   -                                       called the [31mnetwork people at 14:10
2026-03-01 14:11:11  gone     alice    TCP 203.0.113.10:443                    no more: VIP is not local
2026-03-01 14:10:11  found    alice    TCP 203.0.113.10:443                    fault: VIP is not local
2026-03-01 14:09:11  crossed  alice    -                                       bit/s in is 1.50G, below 2.00G
2026-03-01 14:08:11  ended    alice    10.0.3.11:443 of TCP 203.0.113.10:443   the row left the table: share of new above 60 % no more
2026-03-01 14:07:11  crossed  alice    10.0.3.11:443 of TCP 203.0.113.10:443   share of new is 71 %, above 60 %
2026-03-01 14:05:11  ended    alice    TCP 203.0.113.10:443                    conn/s is 4310, no more above 5000
2026-03-01 14:03:11  crossed  alice    TCP 203.0.113.10:443                    conn/s is 7210, above 5000 since 14:03:05
! 2 lines of the log could not be read and were passed over
`
	if got := b.String(); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got\n%s", got)
	}
	b.Reset()
	if err := Incidents(&b, nil, 0, "table"); err != nil || b.String() != "nothing is in the incident log\n" {
		t.Errorf("%q %v", b.String(), err)
	}
}

// TestEntryText has nothing that a terminal obeys, wherever in the entry it is.
func TestEntryText(t *testing.T) {
	e := incident.Entry{Kind: incident.Found, Severity: "fault\x1b[2J\n", Text: "VIP\x1b]0;x\a is not local"}
	if got, want := EntryText(e), "fault[2J : VIP]0;x is not local"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestIncidentsJSON(t *testing.T) {
	var b strings.Builder
	if err := Incidents(&b, someIncidents(), 2, "json"); err != nil {
		t.Fatal(err)
	}
	var out struct {
		Entries []map[string]any `json:"entries"`
		Broken  int              `json:"broken_lines"`
	}
	if err := json.Unmarshal([]byte(b.String()), &out); err != nil || len(out.Entries) != 8 || out.Broken != 2 {
		t.Fatalf("%v: %s", err, b.String())
	}
	last := out.Entries[7]
	if last["service"] != "TCP 203.0.113.10:443" || last["value"] != 7210.0 || last["limit"] != 5000.0 || last["kind"] != "crossed" || out.Entries[4]["value"] != nil {
		t.Errorf("%v", last)
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Error("control characters pass")
	}
}

func TestIncidentsCSV(t *testing.T) {
	all := someIncidents()
	all[0].Text = "=HYPERLINK(1)"
	var b strings.Builder
	if err := Incidents(&b, all, 0, CSV); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != 9 || rows[1][5] != "'=HYPERLINK(1)" || rows[6][4] != "10.0.3.11:443" || rows[6][3] != "TCP 203.0.113.10:443" {
		t.Errorf("%v %q", err, rows)
	}
}
