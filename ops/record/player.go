package record

import (
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
)

// Speeds are how fast a recording can be played.
var Speeds = []float64{0.25, 0.5, 1, 2, 5, 10, 30, 60}

// Player plays a recording: a source of samples for the screens. What it is asked
// to do, it does beside who asks. All methods but Tell and Run may be used at
// once, and return at once.
type Player struct {
	file      *File
	marks     []history.Mark // in order, each once
	listeners []Listener
	latest    atomic.Pointer[ops.Sample]
	report    atomic.Pointer[check.Report]
	names     atomic.Pointer[Names]
	alarms    atomic.Pointer[[]alarm.Status]
	updated   chan struct{}
	wake      chan struct{}

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
	whole  int     // the number of the first that is as whole as what is shown

	onTo     wanted      // reads on to there; nil: it does not
	passed   *ops.Sample // the last on the way
	passedAt int

	stands map[int]*stand // by the number of their sample, of every standEvery-th
}

// Listener hears what is played, in order: after a jump what was in the hour before,
// first. Its methods are called by Run.
type Listener interface {
	Add(*ops.Sample)
	Reset()              // others than the next are going to be told
	Keep() (back func()) // brings back how it stands now, as often as it is called
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
	p := &Player{file: f, updated: make(chan struct{}, 1), wake: make(chan struct{}, 1), stands: map[int]*stand{}}
	p.state.From, p.state.To = f.Span()
	p.state.Speed, p.state.Playing = 1, true
	p.marks = history.Once(f.marks)
	p.seek(func(*ops.Sample, int) bool { return true }, 0)
	if p.latest.Load() == nil {
		return nil, p.state.Err
	}
	return p, nil
}

// Tell has a listener hear what is played. To be called before Run.
func (p *Player) Tell(l Listener) { p.listeners = append(p.listeners, l) }

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

// Alarms is how thresholds stood then; nil: that was not recorded.
func (p *Player) Alarms() []alarm.Status {
	if all := p.alarms.Load(); all != nil {
		return *all
	}
	return nil
}

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
		if by == 1 && p.onTo == nil {
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

// Mark goes to the next mark after what is shown, or to the last before it, and
// gives all of that reading, the heaviest first; none: there is none.
func (p *Player) Mark(after bool) []history.Mark {
	now := p.latest.Load()
	var from, to int // of marks
	if after {
		from = p.marksUpTo(now.Time)
		if from == len(p.marks) {
			return nil
		}
		to = p.marksUpTo(p.marks[from].Time.Add(max(0, now.Interval-1)))
	} else {
		// The sample shows what happened up to an interval ago.
		to = p.marksUpTo(now.Time.Add(-now.Interval - 1))
		if to == 0 {
			return nil
		}
		from = p.marksUpTo(p.marks[to-1].Time.Add(-max(1, now.Interval)))
	}
	marks := slices.Clone(p.marks[from:to])
	if after {
		p.Jump(marks[0].Time)
	} else {
		p.Jump(marks[len(marks)-1].Time)
	}
	slices.SortStableFunc(marks, history.Mark.Heavier)
	return marks
}

// marksUpTo is how many marks there are up to a time.
func (p *Player) marksUpTo(t time.Time) int {
	return sort.Search(len(p.marks), func(i int) bool { return p.marks[i].Time.After(t) })
}
