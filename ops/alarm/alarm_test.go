package alarm

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/persist"
)

var (
	began = time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)
	web   = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	first = netip.MustParseAddrPort("10.0.3.11:443")
)

// figures of the one server there is, and of its service: what it has twice.
func sample(n int, active, conns uint64, counted bool) *ops.Sample {
	f := ops.Figures{Active: active, Inactive: 7, Rate: ipvs.Traffic{Conns: conns, InBytes: 1000, OutBytes: 9000}, Counted: counted}
	r := &ops.Server{Server: ipvs.Server{Addr: first, Forward: ipvs.Direct, Weight: 1}, Figures: f}
	v := &ops.Service{Service: ipvs.NewService(web), Servers: []*ops.Server{r}, Figures: f, Forwards: ops.Ways(0).With(ipvs.Direct)}
	v.Active, v.Rate.Conns, v.Counted = 2*active, 2*conns, true
	s := &ops.Sample{Time: began.Add(time.Duration(n) * 2 * time.Second), Services: []*ops.Service{v}, Figures: v.Figures}
	return s
}

const unread = -1

// play shows a judge a figure over time, and gives what it tells: + crossed, - ended,
// a dot for nothing. A blank is a reading in which it is not known, a _ one without
// the row, an x one that failed.
func play(j *Judge, conns []int) string {
	var told strings.Builder
	for i, v := range conns {
		s := sample(i, 50, uint64(max(v, 0)), v >= 0)
		switch v {
		case -2:
			s.Services = nil
		case -3:
			s.Err = errors.New("no")
		}
		events := j.Look(s)
		switch {
		case len(events) == 0:
			told.WriteByte('.')
		case events[0].Ended:
			told.WriteByte('-')
		default:
			told.WriteByte('+')
		}
	}
	return told.String()
}

func TestJudge(t *testing.T) {
	above := Threshold{Row: Row{web, first}, Figure: ConnRate, Limit: 100, Hold: 3}
	below := above
	below.Below = true
	for _, c := range []struct {
		name  string
		t     Threshold
		told  bool
		conns []int
		want  string
	}{
		{"at the limit is not above it", above, false, []int{100, 100, 100, 100}, "...."},
		{"held", above, false, []int{101, 101, 101, 101, 101}, "..+.."},
		{"one reading is nothing", above, false, []int{500, 10, 500, 500, 10, 500}, "......"},
		{"flapping at the limit stays crossed", above, false, []int{101, 101, 101, 99, 101, 95, 91, 99, 98, 101}, "..+......."},
		{"back by a tenth, held", above, false, []int{101, 101, 101, 90, 90, 91, 90, 90, 90, 90}, "..+.....-."},
		{"unknown says nothing", above, false, []int{101, unread, 101, unread, 101, unread, 0, unread, 0, 0}, "....+....-"},
		{"a failed reading is none", above, false, []int{101, 101, -3, 101, -3, -3, -3, -3}, "...+...."},
		{"the row leaves", above, false, []int{101, 101, 101, -2, -2, 101, 101, 101}, "..+-...+"},
		{"below", below, false, []int{99, 99, 99, 100, 105, 109, 110, 110, 110, 110}, "..+.....-."},
		{"unknown for as long as it must hold begins anew", above, false, []int{101, 101, unread, unread, unread, 101, 101, 101}, ".......+"},
		{"so do readings that fail", above, false, []int{101, 101, -3, -3, -3, 101, 101, 101}, ".......+"},
		{"told before, and it is so", above, true, []int{101, 101, 101, 101}, "..+."},
		{"told before, and it is over", above, true, []int{50, 101, 50, 50, 50, 50}, "....-."},
		{"told before, and the row is gone", above, true, []int{-2, -2}, "-."},
	} {
		var j Judge
		j.Set([]Threshold{c.t}, func(key string) bool { return c.told && key == c.t.Key() })
		if got := play(&j, c.conns); got != c.want {
			t.Errorf("%s: told %s, want %s", c.name, got, c.want)
		}
	}
}

// TestBack: whatever the limit is, a figure can come back from beyond it, and between
// two whole figures is never enough.
func TestBack(t *testing.T) {
	server := Row{web, first}
	for _, c := range []struct {
		t         Threshold
		in, stays float64
	}{
		{Threshold{server, ShareNew, true, 95, 1}, 100, 99},
		{Threshold{server, ShareNew, true, 100, 1}, 100, 99.9},
		{Threshold{server, ShareNew, true, 20, 1}, 22, 21},
		{Threshold{server, ShareNew, false, 9, 1}, 8, 9},
		{Threshold{server, Active, true, 95, 1}, 104, 103},
		{Threshold{server, Active, false, 9, 1}, 8, 9},
		{Threshold{server, Active, true, 9, 1}, 10, 9},
		{Threshold{server, Active, true, 1, 1}, 1, 0},
		{Threshold{server, Active, false, 1, 1}, 1, 2},
		{Threshold{server, Active, false, 0, 1}, 0, 1},
	} {
		if err := c.t.Check(); err != nil || !c.t.back(c.in) || c.t.back(c.stays) || c.t.beyond(c.in) {
			t.Errorf("%s %d: %v", c.t.Key(), c.t.Limit, err)
		}
	}
}

// TestSince: a threshold is crossed since the first reading beyond it, and setting
// others changes nothing about those that stay.
func TestSince(t *testing.T) {
	var j Judge
	one := Threshold{Row: Row{Service: web}, Figure: Active, Limit: 60, Hold: 3}
	two := Threshold{Figure: Conns, Below: true, Limit: 1, Hold: 1}
	j.Set([]Threshold{one}, nil)
	j.Look(sample(0, 50, 0, true))
	j.Look(sample(0, 50, 0, true)) // the same moment, completed: no reading of its own
	j.Look(sample(1, 50, 0, true))
	j.Set([]Threshold{two, one}, nil)
	events := j.Look(sample(2, 50, 0, true))
	if len(events) != 1 || !events[0].Since.Equal(began) || !events[0].Time.Equal(began.Add(4*time.Second)) || events[0].Value != 100 {
		t.Fatalf("%+v", events)
	}
	all := j.All()
	if len(all) != 2 || !all[0].Row.Director() || all[0].Crossed || all[0].Value != 107 || !all[1].Crossed {
		t.Errorf("%+v", all)
	}
}

func TestFigures(t *testing.T) {
	s := sample(0, 50, 30, true)
	for _, c := range []struct {
		row   Row
		f     Figure
		want  float64
		known bool
	}{
		{Row{web, first}, ConnRate, 30, true},
		{Row{Service: web}, ConnRate, 60, true},
		{Row{}, Conns, 107, true},
		{Row{web, first}, InBits, 8000, true},
		{Row{web, first}, OutBits, 0, false}, // answers do not pass the director
		{Row{web, first}, ShareNew, 50, true},
		{Row{web, first}, ShareActive, 50, true},
		{Row{Service: web}, ShareNew, 0, false},
		{Row{web, first}, "nonsense", 0, false},
	} {
		if v, known, _ := c.f.Of(c.row, s); v != c.want || known != c.known {
			t.Errorf("%s of %s: %v %v", c.f, c.row, v, known)
		}
	}
	few := sample(0, 5, 3, true)
	if _, known, listed := ShareNew.Of(Row{web, first}, few); known || !listed {
		t.Error("a share of next to nothing is known")
	}
	if _, _, listed := Active.Of(Row{web, netip.MustParseAddrPort("10.0.3.12:443")}, s); listed {
		t.Error("a server that is not there is listed")
	}
}

func TestCheck(t *testing.T) {
	server := Row{web, first}
	for _, c := range []struct {
		t    Threshold
		part string
	}{
		{Threshold{server, ShareNew, false, 60, 3}, ""},
		{Threshold{Row{}, ConnRate, true, 1, 1}, ""},
		{Threshold{server, ShareNew, false, 100, 3}, "limit"},
		{Threshold{server, ShareNew, true, 101, 3}, "limit"},
		{Threshold{Row{Service: web}, ShareNew, false, 50, 3}, "figure"},
		{Threshold{server, "tea", false, 50, 3}, "figure"},
		{Threshold{server, Active, true, 0, 3}, "limit"},
		{Threshold{server, Active, false, 1 << 61, 3}, "limit"},
		{Threshold{server, Active, false, 5, 0}, "hold"},
		{Threshold{server, Active, false, 5, MaxHold + 1}, "hold"},
	} {
		var refused *Refused
		if errors.As(c.t.Check(), &refused); refused == nil && c.part != "" || refused != nil && refused.Part != c.part {
			t.Errorf("%+v: %v", c.t, refused)
		}
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]int64{
		"5000": 5000, "5k": 5000, "1.5k": 1500, "1.2 G": 1_200_000_000, "30%": -1, "5k%": -1, "0": 0, "2M": 2_000_000, "1T": 1e12,
		"": -1, "k": -1, "-5": -1, "1e9": -1, "NaN": -1, "0x10": -1, "1.2.3": -1, "5x": -1, "99999999999T": -1,
	} {
		if got, err := ConnRate.ParseLimit(text); (err != nil) != (want < 0) || err == nil && got != uint64(want) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

func TestParseShare(t *testing.T) {
	for text, want := range map[string]int64{"30%": 30, "30 %": 30, "30": 30, "0": 0, "5k%": -1, "5k": -1, "%": -1, "30.5": -1, "30%%": -1} {
		if got, err := ShareNew.ParseLimit(text); (err != nil) != (want < 0) || err == nil && got != uint64(want) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

func TestRowText(t *testing.T) {
	for _, r := range []Row{{}, {Service: web}, {web, first}, {Service: ipvs.MarkService(7, ipvs.IPv6)},
		{ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("[2001:db8::1]:53")), netip.MustParseAddrPort("[2001:db8::2]:53")}} {
		text, _ := r.MarshalText()
		var back Row
		if err := back.UnmarshalText(text); err != nil || back != r {
			t.Errorf("%q: %+v, %v", text, back, err)
		}
	}
	for _, text := range []string{"x", "tcp 203.0.113.10:443", "10.0.0.1 of TCP 203.0.113.10:443", "TCP 203.0.113.10:443 ", " of ", "a of TCP 203.0.113.10:443"} {
		var r Row
		if r.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is taken for %s", text, r)
		}
	}
}

func TestBook(t *testing.T) {
	store, err := persist.Open(persist.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	b := OpenBook(store)
	one := Threshold{Row{web, first}, Active, false, 5000, 3}
	two := Threshold{Row{}, ConnRate, true, 10, 5}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(b.Put(one, ""))
	must(b.Put(two, ""))
	one.Limit = 6000
	must(b.Put(one, ""))
	three := one
	three.Below = true
	must(b.Put(three, two.Key()))
	all, err := OpenBook(store).All()
	if err != nil || len(all) != 2 {
		t.Fatalf("%v %v", all, err)
	}
	for _, kept := range all {
		if kept != one && kept != three {
			t.Errorf("%+v", kept)
		}
	}
	must(b.Remove(one.Key()))
	if all, _ := b.All(); len(all) != 1 || all[0] != three {
		t.Errorf("%+v", all)
	}
	if b.Put(Threshold{Figure: "tea"}, "") == nil {
		t.Error("nonsense was kept")
	}
	path := filepath.Join(store.Dir(), "thresholds.json")
	text, _ := os.ReadFile(path)
	must(os.WriteFile(path, []byte(strings.Replace(string(text), `"limit": 6000`, `"limit": 0`, 1)), 0o600))
	must(b.Put(two, ""))
	if all, err := b.All(); err == nil || !strings.Contains(err.Error(), "nothing falls below") || !strings.Contains(err.Error(), path) || len(all) != 1 || all[0] != two {
		t.Errorf("a limit without sense: %v, %v", all, err)
	}
	text, _ = os.ReadFile(path)
	must(os.WriteFile(path, []byte(strings.Replace(string(text), `"row": ""`, `"row": "tea"`, 1)), 0o600))
	must(b.Put(one, ""))
	if all, err := b.All(); err == nil || !strings.Contains(err.Error(), "2 thresholds are not watched") || len(all) != 1 || all[0] != one {
		t.Errorf("a row without sense: %v, %v", all, err)
	}
	if text, _ = os.ReadFile(path); !strings.Contains(string(text), `"tea"`) {
		t.Errorf("what makes no sense was lost: %s", text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// FuzzThreshold reads what anybody may have written into the file: what passes is
// written as it was read.
func FuzzThreshold(f *testing.F) {
	for _, t := range []Threshold{{Row{web, first}, Active, false, 5000, 3}, {Row{}, ConnRate, true, 10, 5}} {
		text, _ := json.Marshal(t)
		f.Add(string(text))
	}
	f.Add(`{"row":"TCP [::ffff:1.2.3.4]:0","figure":"active","limit":1,"hold":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		var one, two Threshold
		if json.Unmarshal([]byte(text), &one) != nil || one.Check() != nil {
			return
		}
		again, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &two); err != nil || one != two {
			t.Errorf("%s became %s: %v", text, again, err)
		}
		var j Judge
		j.Set([]Threshold{one}, nil)
		j.Look(sample(0, 1, 1, true))
	})
}

func BenchmarkLook(b *testing.B) {
	var services []*ops.Service
	for i := range 1000 {
		v := &ops.Service{Service: ipvs.NewService(ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 80)))}
		for k := range 10 {
			v.Servers = append(v.Servers, &ops.Server{Server: ipvs.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), byte(k)}), 80)}, Figures: ops.Figures{Counted: true}})
		}
		services = append(services, v)
	}
	s := &ops.Sample{Services: services}
	var all []Threshold
	for i := range Most {
		v := services[i]
		all = append(all, Threshold{Row{v.ServiceID, v.Servers[i%10].Addr}, Active, false, 5, 3})
	}
	var j Judge
	j.Set(all, nil)
	for i := 0; b.Loop(); i++ {
		s.Time = began.Add(time.Duration(i))
		j.Look(s)
	}
}
