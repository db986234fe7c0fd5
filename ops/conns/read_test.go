package conns

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/ops/conns/conntest"
)

// table is a table with something of everything.
func table(t testing.TB, s conntest.Spec) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := conntest.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var mixed = conntest.Spec{Conns: 5000, Clients: 800, Services: 30, V6: 30, UDP: 20, Template: 10, Origin: true}

// line is a line as anybody would take it apart.
type line struct {
	proto, state, origin string
	client, server       netip.AddrPort
	service              string
	template             bool
	expires              int
}

func lines(t testing.TB, text []byte) (all []line) {
	t.Helper()
	at := func(addr, port string) netip.AddrPort {
		raw, err := hex.DecodeString(strings.ReplaceAll(addr, ":", ""))
		a, ok := netip.AddrFromSlice(raw)
		n, err2 := strconv.ParseUint(port, 16, 16)
		if err != nil || !ok || err2 != nil {
			t.Fatalf("%s:%s: %v, %v", addr, port, err, err2)
		}
		return netip.AddrPortFrom(a, uint16(n))
	}
	for l := range strings.Lines(string(text)) {
		f := strings.Fields(l)
		if f[0] == "Pro" {
			continue
		}
		n, err := strconv.Atoi(f[len(f)-1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line{
			proto: f[0], client: at(f[1], f[2]), service: f[0] + " " + at(f[3], f[4]).String(), server: at(f[5], f[6]),
			template: f[2] == "0000", state: f[7], origin: strings.ToLower(f[8]), expires: n,
		})
	}
	return all
}

// grouped counts lines with a map.
func grouped(all []line, name func(line) string) map[string]Counts {
	out := map[string]Counts{}
	timeouts := map[string]int{"ESTABLISHED": 900, "FIN_WAIT": 120, "TIME_WAIT": 120, "SYN_RECV": 60, "CLOSE_WAIT": 60, "CLOSE": 10, "UDP": 300}
	for _, l := range all {
		c := out[name(l)]
		switch {
		case l.template:
			c.Templates++
		default:
			c.Conns++
			if l.state == "ESTABLISHED" {
				c.Open++
			}
			if l.state == "SYN_RECV" {
				c.HalfOpen++
			}
			if 2*l.expires < timeouts[l.state] {
				c.Idle++
			}
		}
		out[name(l)] = c
	}
	return out
}

func names(all []line, q Query) map[By]map[string]Counts {
	net := func(l line) string {
		bits := q.Net6
		if l.client.Addr().Is4() {
			bits = q.Net4
		}
		return netip.PrefixFrom(l.client.Addr(), bits).Masked().String()
	}
	state := func(l line) string {
		if l.template {
			return "template " + l.state
		}
		if l.proto == l.state {
			return l.state
		}
		return l.proto + " " + l.state
	}
	return map[By]map[string]Counts{
		ByClient:  grouped(all, func(l line) string { return l.client.Addr().String() }),
		ByNet:     grouped(all, net),
		ByService: grouped(all, func(l line) string { return l.service }),
		ByServer:  grouped(all, func(l line) string { return l.service + " > " + l.server.String() }),
		ByState:   grouped(all, state),
		ByOrigin:  grouped(all, func(l line) string { return l.origin }),
	}
}

func read(t testing.TB, text []byte, q Query) *Result {
	t.Helper()
	r, err := Read(t.Context(), bytes.NewReader(text), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// named is a ranking by its groups' names.
func named(r *Ranking) map[string]Counts {
	out := map[string]Counts{}
	for _, g := range r.Groups {
		name := g.Name(r.By)
		if r.By == ByServer {
			name = g.Service.String() + " > " + name
		}
		out[name] = g.Counts
	}
	return out
}

// TestRead holds every grouping against one with maps, for everything and for
// what filters pick.
func TestRead(t *testing.T) {
	text := table(t, mixed)
	all := lines(t, text)
	web, webServer := mixed.Service(25, false), mixed.Server(25, 3, false)
	for name, c := range map[string]struct {
		Filter
		picks func(line) bool
	}{
		"everything":   {Filter{}, func(line) bool { return true }},
		"client":       {Filter{Client: netip.MustParsePrefix("198.18.7.7/32")}, func(l line) bool { return l.client.Addr() == conntest.Hog }},
		"network":      {Filter{Client: netip.MustParsePrefix("198.18.0.0/21")}, func(l line) bool { return netip.MustParsePrefix("198.18.0.0/21").Contains(l.client.Addr()) }},
		"IPv6 network": {Filter{Client: netip.MustParsePrefix("2001:db8:c::/63")}, func(l line) bool { return netip.MustParsePrefix("2001:db8:c::/63").Contains(l.client.Addr()) }},
		"all of IPv4":  {Filter{Client: netip.MustParsePrefix("0.0.0.0/0")}, func(l line) bool { return l.client.Addr().Is4() }},
		"service":      {Filter{Service: web}, func(l line) bool { return l.service == web.String() }},
		"any protocol": {Filter{Service: ipvs.ServiceID{Family: ipvs.IPv4, Addr: web.Addr}}, func(l line) bool { return strings.Contains(l.service, " "+web.Addr.String()+":") }},
		"wrong protocol": {Filter{Service: ipvs.ServiceID{Family: ipvs.IPv4, Protocol: ipvs.UDP, Addr: web.Addr}},
			func(l line) bool { return false }},
		"server":       {Filter{Server: webServer}, func(l line) bool { return l.server == webServer }},
		"server, port": {Filter{Server: netip.AddrPortFrom(webServer.Addr(), 0)}, func(l line) bool { return l.server == webServer }},
		"other port":   {Filter{Server: netip.AddrPortFrom(webServer.Addr(), 1)}, func(l line) bool { return false }},
		"state":        {Filter{State: "syn_recv"}, func(l line) bool { return l.state == "SYN_RECV" }},
		"templates":    {Filter{Templates: OnlyTemplates}, func(l line) bool { return l.template }},
		"no templates": {Filter{Templates: NoTemplates}, func(l line) bool { return !l.template }},
		"origin":       {Filter{Origin: proc.OriginSync}, func(l line) bool { return l.origin == "sync" }},
		"two":          {Filter{State: "UDP", Origin: proc.OriginLocal}, func(l line) bool { return l.state == "UDP" && l.origin == "local" }},
	} {
		var picked []line
		for _, l := range all {
			if c.picks(l) {
				picked = append(picked, l)
			}
		}
		q := Query{Filter: c.Filter, By: AllBy(), Net4: 20, Net6: 62}
		r := read(t, text, q)
		if r.Ended != nil || r.Read.Lines != uint64(len(all)+1) || r.Read.Bytes != uint64(len(text)) || r.Read.Bad != 0 {
			t.Errorf("%s: read %+v, ended %v", name, r.Read, r.Ended)
		}
		if total := grouped(picked, func(line) string { return "" })[""]; total != r.All {
			t.Errorf("%s: %+v in all, want %+v", name, r.All, total)
		}
		for by, want := range names(picked, q) {
			got := r.Ranking(by)
			if !maps.Equal(named(got), want) || got.Met != len(want) || got.Rest != (Counts{}) {
				t.Errorf("%s by %s: %d groups of %d, rest %+v; want %d", name, by, len(got.Groups), got.Met, got.Rest, len(want))
			}
			if !slices.IsSortedFunc(got.Groups, Group.compare) {
				t.Errorf("%s by %s: not in order", name, by)
			}
		}
	}
}

// TestManyStates: states that no kernel has today are told apart, too, and of
// each protocol; beyond all bounds they are one.
func TestManyStates(t *testing.T) {
	var text strings.Builder
	for round := range 3 {
		for i := range fewStates + 10 {
			proto := []string{"TCP", "UDP", "SCTP"}[i%3]
			fmt.Fprintf(&text, "%s C6336401 %04X CB00710A 01BB 0A000001 01BB %-11s %7d\n", proto, 1024+round, fmt.Sprintf("S%d", i/3), 100)
		}
	}
	r := read(t, []byte(text.String()), Query{By: []By{ByState}})
	states := r.Ranking(ByState)
	if states.Met != fewStates || states.Beyond.Conns != 30 || r.All.Conns != 3*(fewStates+10) {
		t.Errorf("%d states, beyond %+v, all %+v", states.Met, states.Beyond, r.All)
	}
	for _, g := range states.Groups {
		if g.Conns != 3 || g.State.Name[0] != 'S' {
			t.Errorf("%s: %+v", g.State, g.Counts)
		}
	}
}

// TestTop: the largest groups of many, and all others in one sum.
func TestTop(t *testing.T) {
	text := table(t, mixed)
	all := read(t, text, Query{By: AllBy()})
	few := read(t, text, Query{By: AllBy(), Top: 3})
	for _, by := range AllBy() {
		whole, top := all.Ranking(by), few.Ranking(by)
		n := min(3, len(whole.Groups))
		var rest Counts
		for _, g := range whole.Groups[n:] {
			rest = rest.Add(g.Counts)
		}
		if !slices.Equal(top.Groups, whole.Groups[:n]) || top.Rest != rest || top.Met != whole.Met {
			t.Errorf("by %s: %+v\nrest %+v, want %+v\nrest %+v", by, top.Groups, top.Rest, whole.Groups[:n], rest)
		}
	}
	hog := few.Ranking(ByClient).Groups[0]
	if hog.Client.Addr() != conntest.Hog || few.Share(hog.Counts) != float64(hog.Conns)/float64(few.All.Conns) {
		t.Errorf("the first client is %+v", hog)
	}
}

// TestBound: beyond it nothing is lost, and the large groups are still found.
func TestBound(t *testing.T) {
	spec := conntest.Spec{Conns: 20_000, Clients: 15_000}
	r := read(t, table(t, spec), Query{By: AllBy(), Top: 5, most: 1000})
	clients := r.Ranking(ByClient)
	if clients.Met != 1000 || clients.Groups[0].Client.Addr() != conntest.Hog || clients.Beyond.Conns == 0 {
		t.Errorf("clients: %+v", clients)
	}
	for _, ranking := range r.Rankings {
		sum := ranking.Rest
		for _, g := range ranking.Groups {
			sum = sum.Add(g.Counts)
		}
		if sum != r.All {
			t.Errorf("by %s: %+v in sum, %+v in all", ranking.By, sum, r.All)
		}
	}
	// A filter holds for those beyond, too.
	server := spec.Server(150, 3, false)
	text := table(t, spec)
	want := read(t, text, Query{Filter: Filter{Server: server}}).All
	if got := read(t, text, Query{Filter: Filter{Server: server}, most: 10}).All; got != want || want.Conns == 0 {
		t.Errorf("picked %+v, want %+v", got, want)
	}
}

// TestEnds: a reading that ends before its time says so and gives what it has.
func TestEnds(t *testing.T) {
	text := table(t, conntest.Spec{Conns: 50_000})
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	p := &Progress{}
	in := io.MultiReader(bytes.NewReader(text[:len(text)/2]), readerFunc(func([]byte) (int, error) {
		cancel(stop)
		return 0, nil
	}), bytes.NewReader(text[len(text)/2:]))
	r, err := Read(ctx, in, Query{By: []By{ByState}, Progress: p})
	if err != nil || r.Ended != stop || r.All.Conns < 20_000 || r.All.Conns > 30_000 {
		t.Errorf("%+v, %v", r, err)
	}
	if p.Lines() < 20_000 || p.Bytes() < 1_000_000 {
		t.Errorf("progress of %d lines, %d bytes", p.Lines(), p.Bytes())
	}
	if _, err := Read(t.Context(), iotest.ErrReader(io.ErrClosedPipe), Query{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
	const listing = "IPVS connection entries\npro expire state       source             virtual            destination\n"
	for text, want := range map[string]string{
		"":             "",
		proc.ConnTitle: "",
		listing:        `this is no copy of /proc/net/ip_vs_conn (nor is a listing by ipvsadm): line 1: expected a client's address and port in hexadecimal, found "connection"`,
		"\x1b[2Jevil":  `this is no copy of /proc/net/ip_vs_conn (nor is a listing by ipvsadm): line 1: expected a protocol, found "\x1b[2Jevil"`,
	} {
		if _, err := Read(t.Context(), strings.NewReader(text), Query{}); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestPages: pages one after the other are the list, and a page reads no further
// than it must.
func TestPages(t *testing.T) {
	text := table(t, mixed)
	q := Query{Filter: Filter{State: "SYN_RECV"}}
	var want []Row
	if _, _, err := Each(t.Context(), bytes.NewReader(text), q, func(r Row) bool { want = append(want, r); return true }); err != nil {
		t.Fatal(err)
	}
	picked := 0
	for _, l := range lines(t, text) {
		if l.state != "SYN_RECV" {
			continue
		}
		if r := want[picked]; r.Client != l.client || r.Server != l.server || r.Service.String() != l.service || int(r.Expires) != l.expires || r.Origin.String() != l.origin {
			t.Fatalf("row %d is %+v, want %+v", picked, r, l)
		}
		picked++
	}
	if picked != len(want) || picked < 100 {
		t.Fatalf("%d rows, want %d", len(want), picked)
	}
	var got []Row
	for from := 0; ; {
		page, err := ReadPage(t.Context(), bytes.NewReader(text), q, from, 40)
		if err != nil || page.From != from {
			t.Fatal(page, err)
		}
		if from == 0 && page.Read.Lines > uint64(mixed.Conns/2) {
			t.Errorf("the first page took %d lines", page.Read.Lines)
		}
		got = append(got, page.Rows...)
		if from += len(page.Rows); !page.More {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages of %d rows, want %d", len(got), len(want))
	}
}

func TestRowIdle(t *testing.T) {
	for _, c := range []struct {
		expires, timeout, idle uint32
		known                  bool
	}{{893, 900, 7, true}, {900, 900, 0, true}, {901, 900, 0, false}, {3, 0, 0, false}} {
		if idle, known := (Row{Expires: c.expires, Timeout: c.timeout}).Idle(); idle != c.idle || known != c.known {
			t.Errorf("%+v: %d, %v", c, idle, known)
		}
	}
}

// FuzzRead looks for connections lost or counted twice, whatever the text.
func FuzzRead(f *testing.F) {
	f.Add(table(f, conntest.Spec{Conns: 20, V6: 30, Template: 20, Origin: true}), "198.18.0.0/16", true)
	f.Fuzz(func(t *testing.T, text []byte, client string, templates bool) {
		q := Query{By: AllBy(), Top: 2}
		q.Client, _ = netip.ParsePrefix(client)
		if templates {
			q.Templates = OnlyTemplates
		}
		r, err := Read(t.Context(), bytes.NewReader(text), q)
		if err != nil {
			return
		}
		listed := uint64(0)
		if _, _, err := Each(t.Context(), bytes.NewReader(text), q, func(Row) bool { listed++; return true }); err != nil {
			t.Error(err)
		}
		if listed != r.All.Conns+r.All.Templates {
			t.Errorf("%d listed, %+v counted", listed, r.All)
		}
		for _, ranking := range r.Rankings {
			sum := ranking.Rest
			for _, g := range ranking.Groups {
				sum = sum.Add(g.Counts)
				_ = fmt.Sprint(g.Name(ranking.By), q.Narrow(ranking.By, g))
			}
			if sum != r.All {
				t.Errorf("by %s: %+v in sum, %+v in all", ranking.By, sum, r.All)
			}
		}
	})
}
