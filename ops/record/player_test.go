package record

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/persist"
)

// played is a player that runs.
type played struct {
	*Player
	t     *testing.T
	all   []*ops.Sample
	heard []*ops.Sample // since it was told anew
	anew  int
}

// Add, Reset and Keep implement Listener.
func (p *played) Add(s *ops.Sample) { p.heard = append(p.heard, s) }

func (p *played) Reset() {
	p.heard = nil
	p.anew++
}

func (p *played) Keep() func() {
	kept := slices.Clone(p.heard)
	return func() { p.heard = slices.Clone(kept) }
}

// play plays samples, with a mark at some of them, and stops at the first.
func play(t *testing.T, all []*ops.Sample, marked ...int) *played {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(magic)
	w, err := NewWriter(&out, testHead)
	must(t, err)
	for i, s := range all {
		must(t, w.Sample(s))
		if slices.Contains(marked, i) {
			must(t, w.Mark(history.Mark{Time: s.Time, Kind: history.Changed, Text: fmt.Sprint("mark ", i)}))
		}
	}
	must(t, w.Flush())
	return run(t, read(t, out.Bytes()), all)
}

func run(t *testing.T, f *File, all []*ops.Sample) *played {
	t.Helper()
	p := &played{t: t, all: all}
	var err error
	p.Player, err = NewPlayer(f)
	must(t, err)
	p.Tell(p)
	p.Play(false)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); p.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	p.until("it stands", func(s PlayState) bool { return !s.Playing && !s.Filling })
	return p
}

func (p *played) until(what string, ok func(PlayState) bool) {
	p.t.Helper()
	for !ok(p.State()) {
		select {
		case <-p.Updated():
		case <-time.After(30 * time.Second):
			p.t.Fatalf("never: %s; it is %+v", what, p.State())
		}
	}
}

// does waits until what was asked for is done.
func (p *played) does() {
	p.t.Helper()
	done := make(chan struct{})
	p.order(func() { close(done) })
	<-done
	p.until("it has told what was before", func(s PlayState) bool { return !s.Filling })
}

// shows compares what is shown, and what was heard up to there.
func (p *played) shows(number int) {
	p.t.Helper()
	p.does()
	alike(p.t, fmt.Sprintf("sample %d", number), p.Latest(), p.all[number])
	done := make(chan []*ops.Sample)
	p.order(func() { done <- p.heard })
	heard := <-done
	first := number + 1 - len(heard)
	if first > 0 && (p.all[first].Time.After(p.all[number].Time.Add(-heardBefore))) {
		p.t.Errorf("before sample %d only %d were heard", number, len(heard))
	}
	for i, s := range heard {
		if s.Seq != p.all[first+i].Seq {
			p.t.Fatalf("at sample %d, %d of those before was heard in the place of %d", number, s.Seq, p.all[first+i].Seq)
		}
	}
}

func TestPlayerGoesAnywhere(t *testing.T) {
	l := newLife(t, 8)
	all := l.samples(2500)
	p := play(t, all, 40, 1200, 2400)
	p.shows(0)
	for _, to := range []int{1, 2, 3} {
		p.Step(1)
		p.shows(to)
	}
	p.Step(-1)
	p.shows(2)
	p.Step(100)
	p.shows(102)
	// Of several samples of one moment a jump finds the first.
	at := func(n int) int {
		return slices.IndexFunc(all, func(s *ops.Sample) bool { return !s.Time.Before(all[n].Time) })
	}
	for _, to := range []int{2300, 7, 160, 0, 1999} {
		p.Jump(all[to].Time.Add(-time.Nanosecond))
		p.shows(at(to))
	}
	p.Mark(true)
	p.shows(at(2400))
	p.Mark(false)
	p.shows(at(1200))
	p.Mark(false)
	p.shows(at(40))
	p.Mark(false)
	p.shows(at(40))
	p.Jump(all[len(all)-1].Time.Add(time.Hour))
	p.shows(len(all) - 1)
	p.Step(1)
	p.shows(len(all) - 1)
	if s := p.State(); !s.Ended || !s.From.Equal(all[0].Time) || !s.To.Equal(all[len(all)-1].Time) {
		t.Errorf("at the end it is %+v", s)
	}
}

// TestStepWhileFilling goes on with what is being told, instead of beginning anew.
func TestStepWhileFilling(t *testing.T) {
	all := newLife(t, 17).samples(1500)
	p := play(t, all)
	begun := make(chan int, 1)
	p.Step(1200)
	before := 0
	p.order(func() { before = p.anew })
	p.order(p.tellMore) // it has begun
	p.Step(1)
	p.Step(1)
	p.shows(1202)
	p.order(func() { begun <- p.anew - before })
	if got := <-begun; got != 1 {
		t.Errorf("it was told anew %d times, want once", got)
	}
	p.Step(1)
	p.shows(1203)
}

// TestPlayerPlays to the end by itself, as fast as it can.
func TestPlayerPlays(t *testing.T) {
	l := newLife(t, 9)
	all := l.samples(60)
	for i, s := range all { // a reading every 60 ms, played 60 times as fast
		s.Time = all[0].Time.Add(time.Duration(i) * 60 * time.Millisecond)
	}
	p := play(t, all)
	p.Faster(len(Speeds))
	p.Play(true)
	p.until("it has ended", func(s PlayState) bool { return s.Ended })
	p.shows(len(all) - 1)
}

// TestRecorderWritesWhatItHears, and what checks and the journal say meanwhile, and
// goes on with a file that it left.
func TestRecorderWritesWhatItHears(t *testing.T) {
	l := newLife(t, 10)
	all := l.samples(40)
	report := &check.Report{Time: all[0].Time, Unread: []string{"nothing"}}
	r := NewRecorder(Options{Head: testHead,
		Reports: func() *check.Report { return report },
		Names:   func() map[string]persist.Label { return map[string]persist.Label{"TCP 192.0.2.1:80": {Name: "web"}} },
		Marks: func(time.Time) []history.Mark {
			return []history.Mark{{Time: all[3].Time, Kind: history.Changed, Plan: "a", Text: "drain"}}
		}})
	name := filepath.Join(t.TempDir(), "x.rec")
	hear := func(samples []*ops.Sample) {
		t.Helper()
		before := r.State().Samples
		for i, s := range samples {
			r.Hear(s)
			for r.State().Samples+r.State().Lost < before+i+1 && r.State().Err == nil {
				runtime.Gosched()
			}
		}
	}
	r.Hear(all[0]) // nobody records yet
	must(t, r.Start(name, nil))
	if err := r.Start(name, nil); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("beginning twice says %v", err)
	}
	other := NewRecorder(Options{Head: testHead})
	if err := other.Start(name, nil); err == nil || !strings.Contains(err.Error(), "by another lvsdeck") {
		t.Errorf("beginning beside another says %v", err)
	}
	hear(all[:20])
	state, err := r.Stop()
	must(t, err)
	info, err := os.Stat(name)
	must(t, err)
	if info.Mode().Perm() != 0o600 || info.Size() != state.Bytes || state.On || state.Samples != 20 || state.Lost != 0 {
		t.Errorf("the file has mode %v and %d bytes; it says %+v", info.Mode(), info.Size(), state)
	}
	// A kill has left a part of a block.
	must(t, os.WriteFile(name, append(readAll(t, name), block{kind: moreBlock, packed: 99}.append(nil)...), 0o600))
	must(t, r.Start(name, all[20]))
	hear(all[21:])
	_, err = r.Stop()
	must(t, err)
	f, err := Open(name)
	must(t, err)
	defer f.Close()
	kinds := map[history.Kind]int{}
	for _, m := range f.Marks() {
		kinds[m.Kind]++
	}
	if f.Samples() != len(all) || f.Cut() != nil || kinds[history.Changed] != 2 { // a mark of each session
		t.Fatalf("%d samples and %v marks, %v", f.Samples(), kinds, f.Cut())
	}
	if kinds[history.Seen] == 0 {
		t.Error("what readings saw changed is no mark")
	}
	p := run(t, f, all)
	p.Step(39)
	p.shows(39)
	if got := p.Report(); got.Unread[0] != "nothing" {
		t.Errorf("the report is %+v", got)
	}
	if got := p.Names().All["TCP 192.0.2.1:80"]; got.Name != "web" {
		t.Errorf("the names are %+v", p.Names())
	}
}

func readAll(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	must(t, err)
	return b
}

// TestRecorderLeavesOthersAlone: what is no recording of this host is not touched.
func TestRecorderLeavesOthersAlone(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	whole := recorded(t, newLife(t, 11).samples(3))
	damaged := bytes.Clone(whole)
	damaged[len(magic)+60]++
	for name, b := range map[string][]byte{"letter": []byte("dear friend"), "empty": nil, "damaged": damaged, "later": []byte(title + "7\nabc"), "whole": whole} {
		must(t, os.WriteFile(at(name), b, 0o640))
	}
	must(t, os.Symlink(at("whole"), at("link")))
	must(t, syscall.Mkfifo(at("pipe"), 0o600))
	for _, c := range []struct{ name, host, want string }{
		{"letter", "dir-a", "is left alone"},
		{"empty", "dir-a", "is left alone"},
		{"damaged", "dir-a", "it is damaged"},
		{"later", "dir-a", "version 7"},
		{"whole", "dir-b", "is a recording of dir-a, and this is dir-b"},
		{"link", "dir-a", "symbolic link"},
		{"pipe", "dir-a", "no regular file"},
		{".", "dir-a", "directory"},
		{"no/such", "dir-a", "no such file"},
	} {
		h := testHead
		h.Host = c.host
		before, _ := os.Lstat(at(c.name))
		err := NewRecorder(Options{Head: h}).Start(at(c.name), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), at(c.name)) {
			t.Errorf("%s: says %v, want %q", c.name, err, c.want)
		}
		if after, _ := os.Lstat(at(c.name)); before != nil && (after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime())) {
			t.Errorf("%s was touched", c.name)
		}
	}
}

// TestJournalIsReadAfterTheClockWasSetBack, not only when it has caught up.
func TestJournalIsReadAfterTheClockWasSetBack(t *testing.T) {
	var looked atomic.Int32
	r := NewRecorder(Options{Head: testHead, Marks: func(time.Time) []history.Mark { looked.Add(1); return nil }})
	must(t, r.Start(filepath.Join(t.TempDir(), "x.rec"), nil))
	for i, s := range newLife(t, 16).samples(2) {
		s.Time = testHead.Time.Add(-time.Duration(i) * time.Hour)
		for r.Hear(s); r.State().Samples <= i && r.State().Err == nil; {
			runtime.Gosched()
		}
	}
	if n := looked.Load(); n != 2 {
		t.Errorf("the journal was read %d times, want 2", n)
	}
	_, err := r.Stop()
	must(t, err)
}

// TestLockComesFirst: where a recording ends is not looked for while another writes
// it, or what that one wrote meanwhile would be cut off.
func TestLockComesFirst(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.rec")
	must(t, os.WriteFile(name, []byte("nothing that could be looked through"), 0o600))
	f, err := os.Open(name)
	must(t, err)
	defer f.Close()
	must(t, lock(name, f))
	err = NewRecorder(Options{Head: testHead}).Start(name, nil)
	if err == nil || !strings.Contains(err.Error(), "by another lvsdeck") {
		t.Errorf("it was looked through before the lock: %v", err)
	}
}

// TestFullDisk: what was written before plays, and it is told.
func TestFullDisk(t *testing.T) {
	r := NewRecorder(Options{Head: testHead})
	name := filepath.Join(t.TempDir(), "x.rec")
	must(t, r.Start(name, nil))
	must(t, limitFiles(int64(len(magic))+4000))
	defer func() { must(t, limitFiles(-1)) }()
	l := newLife(t, 12)
	for range 5000 {
		if r.Hear(l.sample()); r.State().Err != nil {
			break
		}
	}
	_, err := r.Stop()
	if err == nil || !strings.Contains(err.Error(), "plays up to there") {
		t.Fatalf("says %v", err)
	}
	f, err := Open(name)
	must(t, err)
	defer f.Close()
	if f.Samples() == 0 || f.Cut() == nil {
		t.Errorf("%d samples play, %v", f.Samples(), f.Cut())
	}
}

// limitFiles bounds how long files of this process can be, -1: no more.
func limitFiles(n int64) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &now); err != nil {
		return err
	}
	now.Cur = uint64(n)
	if n < 0 {
		now.Cur = now.Max
	}
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &now)
}
