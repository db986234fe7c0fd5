package record

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
)

// Speeds are how fast a recording can be played.
var Speeds = []float64{0.25, 0.5, 1, 2, 5, 10, 30, 60}

// longestWait is how long a gap in a recording lasts when it is played.
const longestWait = 5 * time.Second

// wanted tells the sample to go to, which has a number.
type wanted func(s *ops.Sample, number int) bool

// What is so near is gone on to, instead of beginning anew.
const (
	nearTime    = 10 * time.Minute
	nearSamples = 300
)

// heardBefore is how much of what was before is told to who listens, after a jump.
const heardBefore = time.Hour

// Player plays a recording: a source of samples for the screens. What it is asked
// to do, it does beside who asks. All methods but Each, Anew and Run may be used at
// once, and return at once.
type Player struct {
	file    *File
	marks   []history.Mark // in order, each once
	each    []func(*ops.Sample)
	anew    []func()
	latest  atomic.Pointer[ops.Sample]
	report  atomic.Pointer[check.Report]
	names   atomic.Pointer[Names]
	updated chan struct{}
	wake    chan struct{}

	mu     sync.Mutex
	orders []func()
	state  PlayState

	// Of Run alone:
	cursor *Cursor     // behind what is shown
	at     int         // the number of the sample that is shown
	ahead  *ops.Sample // the next one, to be shown when it is due
	number int         // of it
	due    time.Time
	fill   *Cursor // tells who listens what was before
	first  int     // the number of the first sample that it tells
	fresh  bool    // and has not begun

	onTo     wanted      // reads on to there; nil: it does not
	passed   *ops.Sample // the last on the way
	passedAt int
}

// PlayState is how a recording plays.
type PlayState struct {
	At       time.Time // of the sample that is shown
	From, To time.Time // of all
	Playing  bool
	Speed    float64
	Ended    bool // there is no later sample
	Filling  bool // what was before is still being told
	Filled   int  // of it, in percent
	Err      error
}

// NewPlayer stands at the beginning of a recording, and plays once it runs.
func NewPlayer(f *File) (*Player, error) {
	p := &Player{file: f, updated: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
	p.state.From, p.state.To = f.Span()
	p.state.Speed, p.state.Playing = 1, true
	p.marks = eachOnce(f.marks)
	p.seek(func(*ops.Sample, int) bool { return true }, 0)
	if p.latest.Load() == nil {
		return nil, p.state.Err
	}
	return p, nil
}

// eachOnce puts marks in order, a plan as it was told last.
func eachOnce(marks []history.Mark) (out []history.Mark) {
	at := map[string]int{} // of plans
	for _, m := range marks {
		if i, ok := at[m.Plan]; ok && m.Plan != "" {
			out[i] = m
			continue
		}
		at[m.Plan] = len(out)
		out = append(out, m)
	}
	slices.SortStableFunc(out, func(a, b history.Mark) int { return a.Time.Compare(b.Time) })
	return out
}

// Each has f called with every sample, in order: those that are played, and after a
// jump those of the hour before. To be called before Run.
func (p *Player) Each(f func(*ops.Sample)) { p.each = append(p.each, f) }

// Anew has f called when other samples than the next are going to be told. To be
// called before Run.
func (p *Player) Anew(f func()) { p.anew = append(p.anew, f) }

// Latest is the sample that is shown.
func (p *Player) Latest() *ops.Sample { return p.latest.Load() }

// Updated receives when another sample is shown, or the state is another.
func (p *Player) Updated() <-chan struct{} { return p.updated }

// SetInterval does nothing: the readings were made.
func (p *Player) SetInterval(time.Duration) {}

// Focus does nothing, either.
func (p *Player) Focus([]ipvs.ServiceID) {}

// ReadNow does nothing, either.
func (p *Player) ReadNow() {}

// File is the recording.
func (p *Player) File() *File { return p.file }

// Marks are those of the recording, in order.
func (p *Player) Marks() []history.Mark { return p.marks }

// Report is what checks had found by then; before the first round, nothing.
func (p *Player) Report() *check.Report {
	if r := p.report.Load(); r != nil {
		return r
	}
	return &noReport
}

var noReport = check.Report{Unread: []string{"no round of checks was recorded up to here"}}

// Names are those that rows had then.
func (p *Player) Names() *Names { return p.names.Load() }

// State tells how it plays.
func (p *Player) State() PlayState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Play goes on, or stops.
func (p *Player) Play(on bool) {
	p.order(func() {
		p.due = time.Now()
		p.set(func(s *PlayState) { s.Playing = on && !s.Ended })
	})
}

// Step stops, and shows the sample so many later, or earlier.
func (p *Player) Step(by int) {
	p.order(func() {
		p.set(func(s *PlayState) { s.Playing = false })
		if by == 1 && p.idle() {
			p.forward()
			return
		}
		number := max(0, p.at+by)
		p.goTo(func(_ *ops.Sample, n int) bool { return n >= number }, number, by > 0 && by <= nearSamples)
	})
}

// Faster plays faster by so many steps of Speeds, or slower.
func (p *Player) Faster(by int) {
	p.order(func() {
		p.set(func(s *PlayState) {
			i := slices.Index(Speeds, s.Speed) + by
			s.Speed = Speeds[min(max(i, 0), len(Speeds)-1)]
		})
		p.due = time.Now()
	})
}

// Jump goes to the first sample at a time or after it, or to the last.
func (p *Player) Jump(t time.Time) {
	p.order(func() {
		now := p.latest.Load().Time
		near := t.After(now) && t.Sub(now) <= nearTime
		p.goTo(func(s *ops.Sample, _ int) bool { return !s.Time.Before(t) }, p.file.numberAt(t), near)
	})
}

// Mark goes to the mark after what is shown, or before it, and gives it.
func (p *Player) Mark(after bool) (m history.Mark, ok bool) {
	now := p.latest.Load()
	i := -1
	if after {
		i = slices.IndexFunc(p.marks, func(m history.Mark) bool { return m.Time.After(now.Time) })
	} else {
		// The sample shows what happened up to an interval ago.
		since := now.Time.Add(-now.Interval)
		for k := range p.marks {
			if p.marks[k].Time.Before(since) {
				i = k
			}
		}
	}
	if i < 0 {
		return m, false
	}
	p.Jump(p.marks[i].Time)
	return p.marks[i], true
}

// order has something done by Run.
func (p *Player) order(f func()) {
	p.mu.Lock()
	p.orders = append(p.orders, f)
	p.mu.Unlock()
	ring(p.wake)
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// Run plays until the context is done.
func (p *Player) Run(ctx context.Context) {
	for ctx.Err() == nil {
		p.obey()
		switch {
		case p.fill != nil:
			p.tellMore()
		case p.onTo != nil:
			p.goOn()
		case p.playing():
			p.playNext(ctx)
		default:
			p.sleep(ctx, nil)
		}
	}
}

// obey does what was asked for, in turn. While it goes on to a sample near by, what
// comes next waits; telling what was before is given up for another jump.
func (p *Player) obey() {
	for p.onTo == nil {
		p.mu.Lock()
		if len(p.orders) == 0 {
			p.mu.Unlock()
			return
		}
		do := p.orders[0]
		p.orders = p.orders[1:]
		p.mu.Unlock()
		do()
	}
}

func (p *Player) playing() bool { return p.State().Playing }

func (p *Player) sleep(ctx context.Context, until <-chan time.Time) (due bool) {
	select {
	case <-ctx.Done():
	case <-p.wake:
	case <-until:
		return true
	}
	return false
}

// playNext shows the next sample when it is due.
func (p *Player) playNext(ctx context.Context) {
	if !p.peek() {
		return
	}
	state := p.State()
	wait := time.Duration(float64(p.ahead.Time.Sub(p.latest.Load().Time)) / state.Speed)
	due := p.due.Add(min(max(wait, 0), longestWait))
	if left := time.Until(due); left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		if !p.sleep(ctx, timer.C) {
			return
		}
	}
	if p.due = due; time.Since(due) > time.Second {
		p.due = time.Now() // what takes longer to read is not caught up with
	}
	p.forward()
}

// peek has the next sample at hand, or stops at the end. What is damaged is passed
// over, and told.
func (p *Player) peek() bool {
	for p.ahead == nil {
		s, n, err := p.cursor.Next()
		switch err {
		case nil:
			p.ahead, p.number = s, n
		case io.EOF:
			p.set(func(s *PlayState) { s.Playing, s.Ended = false, true })
			return false
		default:
			p.cursor.Skip()
			p.set(func(s *PlayState) { s.Err = err })
		}
	}
	return true
}

// forward shows the next sample.
func (p *Player) forward() {
	if !p.peek() {
		return
	}
	s := p.ahead
	p.ahead = nil
	p.tell(s)
	p.show(s, p.number, p.cursor)
}

// tell lets everybody who listens hear a sample.
func (p *Player) tell(s *ops.Sample) {
	for _, f := range p.each {
		f(s)
	}
}

// show puts a sample on the screens.
func (p *Player) show(s *ops.Sample, number int, from *Cursor) {
	p.at = number
	p.latest.Store(s)
	p.report.Store(from.Report())
	p.names.Store(from.Names())
	p.set(func(state *PlayState) { state.At, state.Ended = s.Time, false })
}

func (p *Player) set(change func(*PlayState)) {
	p.mu.Lock()
	change(&p.state)
	p.mu.Unlock()
	ring(p.updated)
}

// idle tells that nothing is being read.
func (p *Player) idle() bool { return p.fill == nil && p.onTo == nil }

// goTo goes to the first sample that is wanted, which has a number or is a little
// behind that: on from here when it is near, else by beginning anew.
func (p *Player) goTo(is wanted, number int, near bool) {
	if near && p.idle() {
		p.onTo = is
		p.set(func(s *PlayState) { s.Filling, s.Filled = true, 0 })
		return
	}
	p.seek(is, number)
}

// goOn passes one sample on the way to the one that is wanted. Who listens hears it.
func (p *Player) goOn() {
	there := !p.peek()
	if !there {
		p.tell(p.ahead)
		there = p.onTo(p.ahead, p.number)
		p.passed, p.passedAt, p.ahead = p.ahead, p.number, nil
	}
	if !there {
		return
	}
	ended := p.State().Ended
	if p.passed != nil {
		p.show(p.passed, p.passedAt, p.cursor)
	}
	p.onTo, p.passed, p.due = nil, nil, time.Now()
	p.set(func(s *PlayState) { s.Filling, s.Ended = false, ended })
}

// seek shows the first sample that is wanted, or the last, reading from far enough
// before a number. Then it begins to tell what was before.
func (p *Player) seek(is wanted, number int) {
	p.onTo, p.passed = nil, nil
	p.set(func(s *PlayState) { s.Filling, s.Filled = true, 0 })
	c := p.file.at(number, time.Time{})
	var last *ops.Sample
	at, ended := 0, false
	for {
		s, n, err := c.Next()
		if ended = err == io.EOF; ended {
			break
		}
		if err != nil {
			c.Skip()
			p.set(func(s *PlayState) { s.Err = err })
			continue
		}
		if last, at = s, n; is(s, n) {
			break
		}
	}
	if last == nil { // all of it is damaged: what is shown stays
		p.fill = nil
		p.set(func(s *PlayState) { s.Filling = false })
		return
	}
	p.cursor, p.ahead, p.due = c, nil, time.Now()
	p.fill = p.file.at(at, last.Time.Add(-heardBefore))
	p.fresh, p.first = true, p.fill.number
	p.show(last, at, c)
	p.set(func(s *PlayState) { s.Ended = ended })
}

// tellMore tells a sample of what was before the one that is shown.
func (p *Player) tellMore() {
	if p.fresh {
		p.fresh = false
		for _, f := range p.anew {
			f()
		}
	}
	s, n, err := p.fill.Next()
	if err != nil && err != io.EOF {
		p.fill.Skip() // it was told when it was sought, or will be
		return
	}
	if err == nil && n < p.at {
		p.tell(s)
		if done := 100 * (n - p.first) / (p.at - p.first); done != p.State().Filled {
			p.set(func(s *PlayState) { s.Filled = done })
		}
		return
	}
	p.tell(p.latest.Load())
	p.fill, p.due = nil, time.Now()
	p.set(func(s *PlayState) { s.Filling = false })
}
