package pulse_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/pulse"
)

func TestFindings(t *testing.T) {
	found := func(name string, severity check.Severity) check.Finding {
		return check.Finding{Check: name, Severity: severity, Service: web, Short: name, Evidence: []string{"12 of 13"}}
	}
	rows := pulse.Findings(&check.Report{Findings: []check.Finding{
		found("vip", check.Fault), found("drain", check.Warning), found("share", check.Warning), found("answers", check.Warning), found("half-open", check.Notice)}})
	if got, want := words(rows), []string{"TCP 203.0.113.10:443 vip", "TCP 203.0.113.10:443 share", "TCP 203.0.113.10:443 answers"}; !slices.Equal(got, want) || rows[0].Score <= rows[1].Score || rows[0].Evidence != "12 of 13" {
		t.Errorf("%q, want %q: %+v", got, want, rows)
	}
	if pulse.Findings(nil) != nil {
		t.Error("before the first round there is nothing")
	}
}

func TestShares(t *testing.T) {
	var table strings.Builder
	table.WriteString("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n")
	add := func(n int, net, state string, server int) {
		for i := range n {
			fmt.Fprintf(&table, "TCP %s%02X %04X CB00710A 01BB 0A0000%02X 01BB %-11s %7d\n", net, 10+i%200, 1024+i, server, state, 60)
		}
	}
	add(100, "C63364", "ESTABLISHED", 1) // many clients, one connection each
	add(90, "C63365", "ESTABLISHED", 2)
	add(70, "0A4242", "SYN_RECV", 2)
	for i := range 60 {
		fmt.Fprintf(&table, "TCP C0000207 %04X CB00710A 01BB 0A000001 01BB ESTABLISHED     800\n", 2048+i)
	}
	r, err := conns.Read(context.Background(), strings.NewReader(table.String()), conns.Query{By: []conns.By{conns.ByClient, conns.ByNet, conns.ByServer}})
	if err != nil || r.Read.Bad > 0 {
		t.Fatal(err, r)
	}
	rows := pulse.Shares(r, noon, nil)
	pulse.Sort(rows)
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprintf("%s %v %v %.0f %% of %d", r.What(), r.Client, r.Server, 100*r.Now, r.Of))
	}
	want := []string{
		"much from one client 192.0.2.7/32 invalid AddrPort 19 % of 320",
		"handshakes not finished invalid Prefix 10.0.0.2:443 44 % of 160",
		"much from one network 198.51.100.0/24 invalid AddrPort 31 % of 320",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// Who causes it is told where it moved, however small its part of all is.
func TestSharesWithinServices(t *testing.T) {
	dns, mail := ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("203.0.113.53:53")), ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.25:25"))
	flood, bulk, all := netip.MustParsePrefix("100.66.77.0/24"), netip.MustParsePrefix("100.70.12.34/32"), conns.Counts{Conns: 10000}
	heavy := func(by conns.By, client netip.Prefix, id ipvs.ServiceID, n, of uint64) conns.Heavy {
		return conns.Heavy{By: by, Group: conns.Group{Client: client, Service: id, Counts: conns.Counts{Conns: n}}, Of: conns.Counts{Conns: of}}
	}
	r := &conns.Result{All: all, Heavy: []conns.Heavy{
		heavy(conns.ByClient, bulk, web, 1200, 3000), heavy(conns.ByNet, flood, dns, 560, 800), heavy(conns.ByNet, flood, mail, 20, 30)}}
	r.Rankings = []conns.Ranking{
		{By: conns.ByClient, Groups: []conns.Group{{Client: bulk, Counts: conns.Counts{Conns: 1300}}}}, {By: conns.ByNet}, {By: conns.ByServer}}
	said := func(others ...pulse.Row) (all []string) {
		for _, r := range pulse.Shares(r, noon, others) {
			all = append(all, fmt.Sprintf("%s %v %v %.0f %% of %d", r.What(), r.Client, r.Service, 100*r.Now, r.Of))
		}
		return all
	}
	want := []string{"much from one client 100.70.12.34/32 TCP 203.0.113.10:443 40 % of 3000"}
	if got := said(); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	want = append(want, "much from one network 100.66.77.0/24 UDP 203.0.113.53:53 70 % of 800")
	if got := said(pulse.Row{Service: dns}, pulse.Row{Service: mail}); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// A dead host is one row, whatever its services say of it.
func TestMerge(t *testing.T) {
	dns := ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("203.0.113.53:53"))
	at := func(id ipvs.ServiceID, server string, r pulse.Row) pulse.Row {
		r.Service, r.Server = id, netip.MustParseAddrPort(server)
		return r
	}
	silent := pulse.Row{Kind: pulse.Found, Severity: check.Fault, Short: "does not answer"}
	rows := pulse.Merge([]pulse.Row{
		at(web, "10.0.3.12:443", silent),
		at(web, "10.0.3.12:443", pulse.Row{Kind: pulse.Found, Severity: check.Fault, Short: "is no server of this network"}),
		at(dns, "10.0.3.12:53", silent),
		at(web, "10.0.3.12:443", pulse.Row{Kind: pulse.Active, Now: 10, Usual: 500}),
		at(web, "10.0.3.13:443", silent),
		at(web, "10.0.3.13:443", pulse.Row{Kind: pulse.Active, Now: 500, Usual: 10}),
		{Kind: pulse.Conns, Service: web, Now: 9, Usual: 1},
		at(dns, "10.0.3.12:53", pulse.Row{Kind: pulse.HalfOpen, Now: .5, Of: 100}),
	})
	want := []string{
		"10.0.3.12:443 does not answer: 2 services", "10.0.3.12:443 is no server of this network",
		"10.0.3.13:443 does not answer", "10.0.3.13:443 active 50 times as many", "TCP 203.0.113.10:443 conn/s 9 times as many",
	}
	if got := words(rows); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if got, want := rows[0].Others(), []string{"active down to 2 %", "handshakes not finished (50%)"}; !slices.Equal(got, want) {
		t.Errorf("also %q, want %q", got, want)
	}
	fell := at(web, "10.0.3.14:443", pulse.Row{Kind: pulse.Active, Now: 20, Usual: 500})
	rest := at(dns, "10.0.3.14:53", pulse.Row{Kind: pulse.Active, Now: 50, Usual: 500})
	for want, cause := range map[string]pulse.Row{
		"10.0.3.14:443 handshakes not finished": {Kind: pulse.HalfOpen, Now: .96, Of: 100},
		"10.0.3.14:443 does not answer":         silent,
	} {
		lead := pulse.Merge([]pulse.Row{fell, rest, at(web, "10.0.3.14:443", cause)})
		if got := words(lead); !slices.Equal(got, []string{want}) || !slices.Equal(lead[0].Others(), []string{"active down to 10 %", "active down to 4 %"}) {
			t.Errorf("%q, also %q: want %q", got, lead[0].Others(), want)
		}
	}
	if a, several := rows[0].Host(); !several || a.String() != "10.0.3.12" || len(rows[0].Services()) != 2 {
		t.Errorf("%v, %v, %v", a, several, rows[0].Services())
	}
	if _, several := rows[2].Host(); several {
		t.Error("that is one place")
	}
}
