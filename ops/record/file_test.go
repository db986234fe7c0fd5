package record

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

var testHead = Head{Time: time.Unix(1_700_000_000, 0).UTC(), Host: "dir-a", Program: "1.0", Interval: 2 * time.Second}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// recorded is samples as a file, in as many sessions.
func recorded(t testing.TB, sessions ...[]*ops.Sample) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(magic)
	for _, samples := range sessions {
		w, err := NewWriter(&out, testHead)
		must(t, err)
		for _, s := range samples {
			must(t, w.Sample(s))
		}
		must(t, w.Flush())
	}
	return out.Bytes()
}

func (l *life) samples(n int) (all []*ops.Sample) {
	for range n {
		all = append(all, l.sample())
	}
	return all
}

func read(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := newFile("x.rec", bytes.NewReader(b), int64(len(b)))
	must(t, err)
	return f
}

// all reads samples from a cursor to the end.
func (c *Cursor) all() (all []*ops.Sample, err error) {
	for {
		s, _, err := c.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, s)
	}
}

func TestFilesComeBack(t *testing.T) {
	// One to which everything happens, one that goes on and on, one that is short.
	var steady []*ops.Sample
	observe(t, newCrowd(5, 3), 500, func(s *ops.Sample) { steady = append(steady, s) })
	sessions := [][]*ops.Sample{newLife(t, 1).samples(400), steady, newLife(t, 2).samples(40)}
	f := read(t, recorded(t, sessions...))
	all := slices.Concat(sessions...)
	if f.Samples() != len(all) || f.cut != nil || !reflect.DeepEqual(f.Head(), testHead) {
		t.Fatalf("%d samples of %+v, %v; want %d", f.Samples(), f.Head(), f.cut, len(all))
	}
	for _, from := range []int{0, 1, 149, 150, 390, 399, 400, 401, 701, 750, 899, 900, 939} {
		c := f.at(from, time.Time{})
		for {
			s, n, err := c.Next()
			if err == io.EOF {
				break
			}
			must(t, err)
			if n >= from {
				alike(t, fmt.Sprintf("sample %d, read for %d", n, from), s, all[n])
			}
		}
		if c.number != len(all) {
			t.Errorf("read from %d it ends at %d, want %d", from, c.number, len(all))
		}
	}
}

// TestReportsComeBack: with the samples they came after, and with words in the place
// of what can be done.
func TestReportsComeBack(t *testing.T) {
	id := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	at := netip.MustParseAddrPort("10.0.0.1:443")
	step := plan.ChangeServer{Service: id, Before: &ipvs.Server{Addr: at, Weight: 1}, After: &ipvs.Server{Addr: at, Weight: 2}}
	findings := []check.Finding{
		{Check: "vip", Severity: check.Fault, Service: id, Server: at, Short: "gone", Evidence: []string{"3 of 4"}, Means: "no",
			Fix: &plan.Plan{Title: "mend", Note: "careful", Items: []plan.Item{{Step: step, Reason: "because"}}}, Lines: []string{"ip a"}},
		{Check: "table size", Short: "small", Evidence: []string{"4096"}}}
	reports := []*check.Report{
		{Time: testHead.Time, Took: time.Second, Unread: []string{"the firewall"}},
		{Time: testHead.Time.Add(10 * time.Second), Findings: findings},
		{Time: testHead.Time.Add(15 * time.Second), Findings: findings},
		{Time: testHead.Time.Add(20 * time.Second)},
	}
	samples := newLife(t, 3).samples(300)
	var out bytes.Buffer
	out.WriteString(magic)
	w, err := NewWriter(&out, testHead)
	must(t, err)
	want := make([]*check.Report, len(samples))
	for i, s := range samples {
		must(t, w.Sample(s))
		if i == 0 || i == 20 || i == 25 || i == 290 {
			must(t, w.Report(reports[0]))
			reports = reports[1:]
		}
		want[i] = w.report
	}
	must(t, w.Flush())
	f := read(t, out.Bytes())
	if len(f.marks) != 4 || !strings.HasSuffix(f.marks[0].Text, "gone") || f.marks[0].Kind != history.Found || f.marks[3].Kind != history.Cleared {
		t.Errorf("the marks are %+v", f.marks)
	}
	for _, from := range []int{0, 299} {
		c := f.at(from, time.Time{})
		for {
			_, n, err := c.Next()
			if err == io.EOF {
				break
			}
			must(t, err)
			if got := c.Report(); n >= from && !slices.ContainsFunc(want[max(0, n-1):n+1], func(r *check.Report) bool { return r == nil && got == nil || got.Time.Equal(r.Time) }) {
				t.Errorf("sample %d has the report of %v", n, got.Time)
			}
			if n == 100 {
				got := c.Report().Findings[0]
				if got.Fix.Title != "mend" || got.Fix.Note != "careful" || got.Fix.Items[0].Reason != "because" || got.Fix.Commands() != step.Command()+"\n" ||
					got.Fix.Items[0].Step.String() != step.String() {
					t.Errorf("the fix is %+v", got.Fix)
				}
				want := findings[0]
				got.Fix, want.Fix = nil, nil
				if !reflect.DeepEqual(got, want) {
					t.Errorf("the finding is %+v, want %+v", got, want)
				}
			}
		}
	}
}

// TestReportsAreInTime: with a report after each sample, each sample has its own, up
// to the last.
func TestReportsAreInTime(t *testing.T) {
	samples := newLife(t, 13).samples(keySamples + 20)
	var out bytes.Buffer
	out.WriteString(magic)
	w, err := NewWriter(&out, testHead)
	must(t, err)
	for i, s := range samples {
		must(t, w.Sample(s))
		must(t, w.Report(&check.Report{Time: testHead.Time.Add(time.Duration(i) * time.Second)}))
	}
	must(t, w.Flush())
	c := read(t, out.Bytes()).at(0, time.Time{})
	for i := range samples {
		_, _, err := c.Next()
		must(t, err)
		if want := testHead.Time.Add(time.Duration(i) * time.Second); !c.Report().Time.Equal(want) {
			t.Errorf("sample %d has the report of %v, want %v", i, c.Report().Time, want)
		}
	}
}

// TestClockSetBack: blocks are as short as before.
func TestClockSetBack(t *testing.T) {
	samples := newLife(t, 14).samples(100)
	for i, s := range samples {
		s.Time = testHead.Time.Add(time.Duration(i) * 2 * time.Second)
		if i >= 50 {
			s.Time = s.Time.Add(-time.Hour)
		}
	}
	f := read(t, recorded(t, samples))
	for _, b := range f.blocks {
		if b.first > b.last || b.last-b.first > int64(blockTime) {
			t.Errorf("a block has %d samples from %v to %v", b.samples, time.Unix(0, b.first), time.Unix(0, b.last))
		}
	}
	if len(f.blocks) < 30 {
		t.Errorf("want a block for some 5 s, got %d for 200 s", len(f.blocks))
	}
}

// TestWhatIsWrittenIsRead at the bounds of both: nothing behind is lost.
func TestWhatIsWrittenIsRead(t *testing.T) {
	samples := newLife(t, 15).samples(3)
	var out bytes.Buffer
	out.WriteString(magic)
	w, err := NewWriter(&out, testHead)
	must(t, err)
	must(t, w.Sample(samples[0]))
	must(t, w.Report(&check.Report{Time: testHead.Time}))
	full := &check.Report{Time: testHead.Time.Add(time.Second), Unread: []string{"the firewall"}}
	long := strings.Repeat("x", 1000)
	for i := range 2 * maxFindings {
		full.Findings = append(full.Findings, check.Finding{Check: fmt.Sprint(i), Severity: check.Fault, Short: long})
	}
	must(t, w.Sample(samples[1]))
	must(t, w.Report(full))
	var marks []history.Mark
	for i := range maxMarks {
		marks = append(marks, history.Mark{Time: testHead.Time, Kind: history.Found, Text: fmt.Sprint(i)})
	}
	must(t, w.Mark(marks...))
	must(t, w.Mark(history.Mark{Time: testHead.Time, Text: strings.Repeat("x", maxText)}, history.Mark{Time: testHead.Time, Text: "last"}))
	must(t, w.Names(map[string]persist.Label{"a": {Note: strings.Repeat("x", maxEvent)}}))
	must(t, w.Sample(samples[2]))
	must(t, w.Flush())
	f := read(t, out.Bytes())
	if f.Cut() != nil || len(f.Marks()) != maxMarks || f.LostMarks() != maxFindings+1 || f.Marks()[maxMarks-1].Text != "last" {
		t.Fatalf("%d marks, %d lost, %v", len(f.Marks()), f.LostMarks(), f.Cut())
	}
	c := f.at(0, time.Time{})
	got, err := c.all()
	must(t, err)
	if len(got) != len(samples) {
		t.Errorf("%d samples, want %d", len(got), len(samples))
	}
	if r := c.Report(); len(r.Findings) != maxFindings || !slices.Equal(r.Unread, []string{"the firewall", "10000 more findings were not recorded: a recording has room for 10000 of a round"}) {
		t.Errorf("the report has %d findings, and lacks %q", len(r.Findings), r.Unread)
	}
}

func packed(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	must(t, err)
	_, err = w.Write(b)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

// TestCutFilesPlay cuts a file at every byte: what is left plays, or says why not.
func TestCutFilesPlay(t *testing.T) {
	samples := newLife(t, 4).samples(12)
	whole := recorded(t, samples[:6], samples[6:])
	most := 0
	for n := range len(whole) {
		f, err := newFile("x.rec", bytes.NewReader(whole[:n]), int64(n))
		if err != nil {
			if n >= len(magic) || !strings.Contains(err.Error(), "x.rec: byte 0: this is no recording") {
				t.Fatalf("cut at %d: %v", n, err)
			}
			continue
		}
		if len(f.blocks) == 0 {
			continue
		}
		got, err := f.at(0, time.Time{}).all()
		if err != nil || len(got) < most {
			t.Fatalf("cut at %d: %d samples, %v; there were %d already", n, len(got), err, most)
		}
		most = len(got)
		for i, s := range got {
			alike(t, fmt.Sprintf("cut at %d, sample %d", n, i), s, samples[i])
		}
		if f.end != int64(n) && (f.cut == nil || !f.torn || !strings.Contains(f.cut.Error(), fmt.Sprintf("x.rec: byte %d: ", f.end))) {
			t.Fatalf("cut at %d: it ends at %d, and says %v", n, f.end, f.cut)
		}
	}
	if most < 6 {
		t.Errorf("the longest has %d samples", most)
	}
}

// TestDamageIsTold changes every byte: what is read is what was written, or an error
// says where it is not. What follows plays.
func TestDamageIsTold(t *testing.T) {
	l := newLife(t, 5)
	samples := l.samples(keySamples + 10)
	whole := recorded(t, samples)
	told := 0
	for n := 0; n < len(whole); n += 131 {
		said := told
		b := bytes.Clone(whole)
		b[n] ^= 0x55
		f, err := newFile("x.rec", bytes.NewReader(b), int64(len(b)))
		if err != nil || len(f.blocks) == 0 {
			continue
		}
		c := f.at(0, time.Time{})
		for {
			s, number, err := c.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				if told++; !strings.HasPrefix(err.Error(), "x.rec: byte ") {
					t.Fatalf("byte %d: %v", n, err)
				}
				c.Skip()
				continue
			}
			if number < keySamples { // trends are whole
				alike(t, fmt.Sprintf("byte %d, sample %d", n, number), s, samples[number])
			}
		}
		if c.number < len(samples) && f.cut == nil && told == said {
			t.Fatalf("byte %d: it ends at %d of %d", n, c.number, len(samples))
		}
	}
	if told == 0 {
		t.Error("no damage was told")
	}
}

// TestLiesAreTold: files that are made to harm.
func TestLiesAreTold(t *testing.T) {
	head := block{kind: headBlock, packed: 2, sum: crc32.Checksum([]byte("{}"), castagnoli)}.append(nil)
	head = append(append([]byte(magic), head...), "{}"...)
	events := func(raw uint32, kind kindOfBlock, samples uint32, packed []byte) []byte {
		b := block{kind: kind, raw: raw, packed: uint32(len(packed)), samples: samples, sum: crc32.Checksum(packed, castagnoli)}
		return append(b.append(bytes.Clone(head)), packed...)
	}
	sample := func(b ...byte) []byte {
		return append([]byte{sampleEvent, byte(len(b))}, b...)
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":               {nil, "no recording"},
		"text":                {[]byte("hello, this is a letter"), "no recording"},
		"a later version":     {[]byte(title + "2\n"), "version 2"},
		"no session":          {append([]byte(magic), block{kind: keyBlock, samples: 1, raw: 9}.append(nil)...), "of which host"},
		"no key":              {events(9, moreBlock, 1, nil), errLost.Error()},
		"no samples":          {events(9, keyBlock, 0, nil), "0 samples"},
		"another kind":        {events(9, 'X', 1, nil), "kind 'X'"},
		"a huge block":        {events(maxRaw+1, keyBlock, 1, nil), "the most is"},
		"not packed":          {events(9, keyBlock, 1, []byte("what is this?")), "unpacked"},
		"longer than said":    {events(2, keyBlock, 1, packed(t, sample(0, 0, 0, 0, 0, 0))), "is wrong"},
		"no event":            {events(1, keyBlock, 1, packed(t, []byte{9})), errShort.Error()},
		"another event":       {events(2, keyBlock, 1, packed(t, []byte{9, 0})), "kind 9"},
		"a long event":        {events(3, keyBlock, 1, packed(t, []byte{1, 200, 9})), errShort.Error()},
		"no streams":          {events(2, keyBlock, 1, packed(t, sample())), errShort.Error()},
		"long streams":        {events(8, keyBlock, 1, packed(t, sample(9, 0, 0, 0, 0, 0))), errShort.Error()},
		"an empty sample":     {events(8, keyBlock, 1, packed(t, sample(0, 0, 0, 0, 0, 0))), errShort.Error()},
		"goes on from naught": {events(9, keyBlock, 1, packed(t, sample(0, 0, 0, 0, 0, 1, 1))), errLost.Error()},
		"a severity":          {events(18, keyBlock, 1, packed(t, append([]byte{findingsEvent, 16}, `[{"Severity":9}]`...))), "severity 9"},
	} {
		f, err := newFile("x.rec", bytes.NewReader(c.file), int64(len(c.file)))
		if err == nil && f.cut != nil {
			err = f.cut
		} else if err == nil {
			_, _, err = f.at(0, time.Time{}).Next()
		}
		var e *Error
		if !errors.As(err, &e) || e.File != "x.rec" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: says %v, want %q", name, err, c.want)
		}
	}
}

// TestRowsAreBounded together: each list of them may be short.
func TestRowsAreBounded(t *testing.T) {
	s := &ops.Sample{Time: testHead.Time}
	var servers []*ops.Server
	for i := range 1000 {
		v := &ops.Server{Trend: &ops.Trend{}}
		v.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 80)
		servers = append(servers, v)
	}
	for i := range maxRows/1000 + 1 {
		v := &ops.Service{Servers: servers, Trend: &ops.Trend{}}
		v.ServiceID = ipvs.MarkService(uint32(i+1), ipvs.IPv4)
		s.Services = append(s.Services, v)
	}
	w, err := NewWriter(io.Discard, testHead)
	must(t, err)
	if err := w.Sample(s); err == nil || !strings.Contains(err.Error(), "too large to be recorded: 201201 rows") {
		t.Errorf("writing says %v", err)
	}
	c, p := coder{}, &pack{}
	c.sample(p, s, true)
	w = &Writer{}
	w.event(sampleEvent, p.appendTo(nil))
	raw := packed(t, w.events)
	head := block{kind: headBlock, packed: 2, sum: crc32.Checksum([]byte("{}"), castagnoli)}.append([]byte(magic))
	b := block{kind: keyBlock, raw: uint32(len(w.events)), packed: uint32(len(raw)), samples: 1, sum: crc32.Checksum(raw, castagnoli)}.append(append(head, "{}"...))
	_, _, err = read(t, append(b, raw...)).at(0, time.Time{}).Next()
	if !errors.Is(err, errRows) || !strings.HasPrefix(err.Error(), "x.rec: byte ") {
		t.Errorf("reading says %v", err)
	}
}

// FuzzFile reads what is no recording, or nearly one: blocks, and the events of one
// that is whole.
func FuzzFile(f *testing.F) {
	samples := newLife(f, 6).samples(8)
	whole := recorded(f, samples)
	f.Add(whole[len(magic):])
	f.Add(whole[len(magic) : len(whole)/2])
	var w Writer
	p := &pack{}
	for i, s := range samples {
		p.begin()
		w.coder.sample(p, s, i == 0)
		w.event(sampleEvent, p.appendTo(nil))
	}
	w.writeReport(&check.Report{Findings: []check.Finding{{Check: "vip", Evidence: []string{"x"}}}})
	must(f, w.Alarms([]alarm.Status{{Threshold: busy, Crossed: true}}))
	f.Add(w.events)
	head := block{kind: headBlock, packed: 2, sum: crc32.Checksum([]byte("{}"), castagnoli)}.append([]byte(magic))
	head = append(head, "{}"...)
	f.Fuzz(func(t *testing.T, b []byte) {
		in := packed(t, b)
		key := block{kind: keyBlock, raw: uint32(len(b)), packed: uint32(len(in)), samples: 1, sum: crc32.Checksum(in, castagnoli)}
		for _, b := range [][]byte{append([]byte(magic), b...), append(key.append(bytes.Clone(head)), in...)} {
			file, err := newFile("x.rec", bytes.NewReader(b), int64(len(b)))
			if err != nil || len(file.blocks) == 0 {
				continue
			}
			c := file.at(file.Samples()-1, time.Time{})
			for range 1000 {
				if _, _, err := c.Next(); err == io.EOF {
					break
				} else if err != nil {
					c.Skip()
				}
			}
		}
	})
}

// FuzzSample reads samples that are none: what is given could be shown.
func FuzzSample(f *testing.F) {
	var c coder
	p := &pack{}
	l := newLife(f, 7)
	for i := range 6 {
		p.begin()
		c.sample(p, l.sample(), i == 0)
		f.Add(i == 0, p.appendTo(nil))
	}
	before := newLife(f, 7).samples(6)
	f.Fuzz(func(t *testing.T, key bool, b []byte) {
		var to, from coder
		for i, s := range before {
			p, in := &pack{}, &pack{reading: true}
			to.sample(p, s, i == 0)
			in.parts = p.parts
			from.sample(in, nil, i == 0)
		}
		p, err := unpack(b)
		if err != nil {
			return
		}
		s := from.sample(p, nil, key)
		if (s == nil) != (p.err != nil) {
			t.Fatalf("gives %v with %v", s, p.err)
		}
		if s == nil {
			return
		}
		again := &pack{}
		if to.sample(again, s, key); again.err != nil {
			t.Fatalf("a sample that was read cannot be written: %v", again.err)
		}
		for i, v := range s.Services {
			if i > 0 && s.Services[i-1].ServiceID.Compare(v.ServiceID) >= 0 || v.Trend == nil || len(v.Trend.Conns) > ops.TrendLen {
				t.Fatalf("service %d is %+v", i, v)
			}
		}
	})
}
