package plain

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/ops/conns"
)

// connTable has two clients, a template of a mark with a bad name in it, a line
// of IPv6, and one that no kernel wrote.
const connTable = proc.ConnTitle +
	"TCP C6336401 D431 CB00710A 01BB 0A000001 01BB ESTABLISHED     893\n" +
	"TCP C6336401 D432 CB00710A 01BB 0A000001 01BB SYN_RECV         20\n" +
	"TCP C6336402 D432 CB00710A 01BB 0A000002 01BB ESTABLISHED      12\n" +
	"IP  C6336400 0000 00000007 0000 0A000005 0000 NONE             59 sip \x1b[2Jevil\n" +
	"UDP 2001:0db8:0000:0000:0000:0000:0000:0005 D431 2001:0db8:0000:0000:0000:0000:0000:0053 0035 2001:0db8:0000:0000:0000:0000:0000:0001 0035 UDP             299\n" +
	"rubbish\n"

func counted(t *testing.T, by conns.By, listed *conns.Listed) *conns.Result {
	t.Helper()
	r, err := conns.Read(t.Context(), strings.NewReader(connTable), conns.Query{By: []conns.By{by}, Top: 2, Listed: listed})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestConnsTable(t *testing.T) {
	some := &conns.Listed{}
	some.Add(ipvs.MarkService(7, ipvs.IPv4), nil)
	for _, c := range []struct {
		by     conns.By
		listed *conns.Listed
		want   string
	}{
		{conns.ByClient, nil, `
CLIENT        CONNS  SHARE   ESTAB  HALF-OPEN  IDLE  TEMPLATES
198.51.100.1  2      50.0%   1      1          1     0
198.51.100.2  1      25.0%   1      0          1     0
others        1      25.0%   0      0          0     1
total         4      100.0%  2      1          2     1
`},
		{conns.ByServer, some, `
PROTO   SERVICE           SERVER         LISTED  CONNS  SHARE   ESTAB  HALF-OPEN  IDLE  TEMPLATES
TCP     203.0.113.10:443  10.0.0.1:443   no      2      50.0%   1      1          1     0
TCP     203.0.113.10:443  10.0.0.2:443   no      1      25.0%   1      0          1     0
others  -                 -              -       1      25.0%   0      0          0     1
total   -                 -              -       4      100.0%  2      1          2     1
`},
		{conns.ByState, nil, `
PROTO   STATE        CONNS  SHARE   ESTAB  HALF-OPEN  IDLE  TEMPLATES
TCP     ESTABLISHED  2      50.0%   2      0          1     0
TCP     SYN_RECV     1      25.0%   0      1          1     0
others  -            1      25.0%   0      0          0     1
total   -            4      100.0%  2      1          2     1
`},
	} {
		var b strings.Builder
		if err := Conns(&b, counted(t, c.by, c.listed), "table"); err != nil {
			t.Fatal(err)
		}
		if squeeze(b.String()) != squeeze(c.want[1:]) {
			t.Errorf("by %s:\n%swant\n%s", c.by, b.String(), c.want)
		}
	}
}

// squeeze leaves one blank between words.
func squeeze(s string) string {
	var lines []string
	for l := range strings.Lines(s) {
		lines = append(lines, strings.Join(strings.Fields(l), " "))
	}
	return strings.Join(lines, "\n")
}

func TestConnsJSON(t *testing.T) {
	some := &conns.Listed{}
	some.Add(ipvs.MarkService(7, ipvs.IPv4), nil)
	for _, by := range conns.AllBy() {
		var b strings.Builder
		if err := Conns(&b, counted(t, by, some), "json"); err != nil {
			t.Fatal(err)
		}
		var got struct {
			By     string
			Met    int `json:"groups_met"`
			Groups []map[string]any
			Total  map[string]int
			Gone   map[string]int `json:"server_not_listed"`
			Read   map[string]any
		}
		if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		if got.By != by.String() || len(got.Groups) == 0 || got.Total["connections"] != 4 || got.Total["templates"] != 1 ||
			got.Gone["connections"] != 4 || got.Read["malformed_lines"] != 1.0 || got.Groups[0][map[conns.By]string{conns.ByClient: "client", conns.ByNet: "client"}[by]] == "" {
			t.Errorf("by %s:\n%s", by, b.String())
		}
	}
}

func TestConnsCSV(t *testing.T) {
	var b strings.Builder
	if err := Conns(&b, counted(t, conns.ByService, nil), CSV); err != nil {
		t.Fatal(err)
	}
	want := "proto,service,listed,connections,share,established,half_open,idle,templates\n" +
		"TCP,203.0.113.10:443,-,3,0.7500,2,1,2,0\n" +
		"UDP,[2001:db8::53]:53,-,1,0.2500,0,0,0,0\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestConnList(t *testing.T) {
	write := func(format string) string {
		var b strings.Builder
		l := NewConnList(&b, format, true)
		if _, _, err := conns.Each(t.Context(), strings.NewReader(connTable), conns.Query{Listed: &conns.Listed{}}, l.Add); err != nil {
			t.Fatal(err)
		}
		if err := l.End(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	table := write("table")
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if len(lines) != 6 || strings.ContainsRune(table, '\x1b') {
		t.Fatalf("want a header and five lines:\n%q", table)
	}
	for i, want := range []string{
		"PROTO STATE EXPIRES IDLE CLIENT SERVICE SERVER ORIGIN LISTED DATA",
		"TCP ESTABLISHED 893 7 198.51.100.1:54321 203.0.113.10:443 10.0.0.1:443 unknown no -",
		"TCP SYN_RECV 20 40 198.51.100.1:54322 203.0.113.10:443 10.0.0.1:443 unknown no -",
		"TCP ESTABLISHED 12 888 198.51.100.2:54322 203.0.113.10:443 10.0.0.2:443 unknown no -",
		"FWM NONE 59 - 198.51.100.0:0 7 10.0.0.5:0 unknown no sip [2Jevil",
		"UDP UDP 299 1 [2001:db8::5]:54321 [2001:db8::53]:53 [2001:db8::1]:53 unknown no -",
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if rows, err := csv.NewReader(strings.NewReader(write(CSV))).ReadAll(); err != nil || len(rows) != 6 || rows[5][4] != "[2001:db8::5]:54321" {
		t.Errorf("%v, %v", rows, err)
	}
	var risky strings.Builder
	l := NewConnList(&risky, CSV, false)
	l.Add(conns.Row{State: conns.State{Name: "=1"}, Data: "=cmd"})
	if err := l.End(); err != nil || !strings.Contains(risky.String(), ",'=1,") || !strings.HasSuffix(risky.String(), ",'=cmd\n") {
		t.Errorf("formulas: %q, %v", risky.String(), err)
	}
	var all []map[string]any
	if err := json.Unmarshal([]byte(write("json")), &all); err != nil || len(all) != 5 || all[3]["template"] != true || all[3]["data"] != "\x1b[2Jevil" || all[0]["idle_seconds"] != 7.0 {
		t.Errorf("%v, %v", all, err)
	}
	var b strings.Builder
	if err := NewConnList(&b, "json", true).End(); err != nil || b.String() != "[]\n" {
		t.Errorf("an empty list: %q, %v", b.String(), err)
	}
}
