package record

import (
	"context"
	"io"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
)

// longestWait is how long a gap in a recording lasts when it is played.
const longestWait = 5 * time.Second

// wanted tells the sample to go to, which has a number.
type wanted func(s *ops.Sample, number int) bool

// What is so near is gone on to, instead of beginning anew.
const (
	nearTime    = 10 * time.Minute
	nearSamples = 300
)

// stepsBack is how many samples before the one it jumps to can be shown at once.
const stepsBack = 4 * standEvery

// heardBefore is how much of what was before is told to who listens, after a jump.
const heardBefore = time.Hour

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
		case p.onTo != nil:
			p.goOn()
		case p.fill != nil:
			p.tellMore()
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

// forward shows the next sample. While what was before is told, that goes on up to
// it.
func (p *Player) forward() {
	if !p.peek() {
		return
	}
	s := p.ahead
	p.pass()
	p.show(s, p.number, p.cursor)
}

// pass has the sample at hand told, unless what was before is still being told: that
// goes on up to it then.
func (p *Player) pass() {
	p.at = p.number
	p.leave(p.ahead, p.number, p.cursor, p.fill == nil)
	if p.fill == nil {
		p.tell(p.ahead)
	}
	p.ahead = nil
}

// tell lets everybody who listens hear a sample.
func (p *Player) tell(s *ops.Sample) {
	for _, l := range p.listeners {
		l.Add(s)
	}
}

// show puts a sample on the screens.
func (p *Player) show(s *ops.Sample, number int, from *Cursor) {
	p.at = number
	p.latest.Store(s)
	p.report.Store(from.Report())
	p.names.Store(from.Names())
	var stood *[]alarm.Status // stored once: the screen reads it at any time
	if recorded := from.Alarms(); recorded != nil {
		all := alarmsIn(s, recorded)
		stood = &all
	}
	p.alarms.Store(stood)
	p.set(func(state *PlayState) { state.At, state.Ended = s.Time, false })
}

func (p *Player) set(change func(*PlayState)) {
	p.mu.Lock()
	change(&p.state)
	p.mu.Unlock()
	ring(p.updated)
}

// goTo goes to the first sample that is wanted, which has a number or is a little
// behind that: on from here when it is near, or from a stand before it, else by
// beginning anew.
func (p *Player) goTo(is wanted, number int, near bool) {
	switch {
	case near:
		p.onTo = is
		p.set(func(s *PlayState) { s.Filling, s.Filled = true, 0 })
	case p.goBack(number):
		for p.onTo = is; p.onTo != nil; { // a few samples
			p.goOn()
		}
	default:
		p.seek(is, number)
	}
}

// goOn passes one sample on the way to the one that is wanted.
func (p *Player) goOn() {
	there := !p.peek()
	if !there {
		there = p.onTo(p.ahead, p.number)
		p.passed, p.passedAt = p.ahead, p.number
		p.pass()
	}
	if !there {
		return
	}
	ended := p.State().Ended
	if p.passed != nil {
		p.show(p.passed, p.passedAt, p.cursor)
	}
	p.onTo, p.passed, p.due = nil, nil, time.Now()
	p.set(func(s *PlayState) { s.Filling, s.Ended = p.fill != nil, ended })
}

// seek shows the first sample that is wanted, or the last, reading from far enough
// before a number. Then it begins to tell what was before.
func (p *Player) seek(is wanted, number int) {
	p.onTo, p.passed = nil, nil
	p.set(func(s *PlayState) { s.Filling, s.Filled = true, 0 })
	whole := max(0, number-stepsBack)
	c := p.file.at(whole, time.Time{})
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
		if n >= whole {
			p.at = n // what is near it stays
			p.leave(s, n, c, false)
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
	p.whole = at - stands(last)*standEvery
	p.fill = p.file.before(p.whole, heardBefore)
	p.fresh, p.first = true, p.fill.number
	p.show(last, at, c)
	p.set(func(s *PlayState) { s.Ended = ended })
}

// tellMore tells a sample of what was before the one that is shown.
func (p *Player) tellMore() {
	if p.fresh {
		p.fresh = false
		for _, l := range p.listeners {
			l.Reset()
		}
	}
	s, n, err := p.fill.Next()
	if err != nil && err != io.EOF {
		p.fill.Skip() // it was told when it was sought, or will be
		return
	}
	if err == nil && n < p.at {
		if n >= p.whole {
			p.leave(s, n, p.fill, true)
		}
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
