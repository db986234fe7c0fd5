package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/persist"
)

// Options are what a Recorder takes from beside the samples.
type Options struct {
	Head    Head
	Reports func() *check.Report            // the newest, or nil; nil: nobody checks
	Marks   func(time.Time) []history.Mark  // of the journal, since a time; nil: there is none
	Names   func() map[string]persist.Label // of rows; nil: there are none
	Beside  func(func())                    // runs a function beside the caller; nil: go
}

// queueMax is how many samples may wait for a slow disk. More are lost, and counted.
const queueMax = 8

// marksEvery is how often journal and names are looked at, by the clock of the samples.
const marksEvery = 5 * time.Second

// Recorder writes the samples it hears to a file, while one is open. It never holds
// up who hands them over. All methods may be used at once.
type Recorder struct {
	with Options

	mu    sync.Mutex
	to    *session // nil: nothing is recorded
	busy  bool     // a file is being opened
	state State

	standing []alarm.Status // nil: nobody watches thresholds
	crossed  []history.Mark // that are not written yet
}

// State is how a recording goes, or went last.
type State struct {
	File    string // as it was given; "": there was none yet
	On      bool
	Bytes   int64 // of the file
	Samples int
	From    time.Time // the first sample of this session
	To      time.Time // the last
	Lost    int       // samples that the disk was too slow for
	Err     error     // why it ended by itself
}

// session is a file that is written.
type session struct {
	file  *os.File
	queue chan heard
	done  chan struct{}
}

// heard is a sample with how thresholds stand in it, and what was crossed or ended
// since the one before.
type heard struct {
	*ops.Sample
	standing []alarm.Status
	crossed  []history.Mark
}

// NewRecorder makes one that records nothing yet.
func NewRecorder(o Options) *Recorder { return &Recorder{with: o} }

// Hear takes a sample to be written; it is for ops.Sampler.Each.
func (r *Recorder) Hear(s *ops.Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == nil {
		return
	}
	select {
	case r.to.queue <- heard{s, r.standing, r.crossed}:
		r.crossed = nil
	default:
		r.state.Lost++
	}
}

// Thresholds takes how they stand in the sample that is heard next, and what was
// crossed or ended with it.
func (r *Recorder) Thresholds(standing []alarm.Status, marks ...history.Mark) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.standing = standing; r.to != nil && len(r.crossed) < maxFindings {
		r.crossed = append(r.crossed, marks...)
	}
}

// State tells how the recording goes.
func (r *Recorder) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Start begins a recording. A file that is there is continued when it is a recording
// of the same host, and else left alone. The sample is the first, if there is one.
func (r *Recorder) Start(name string, first *ops.Sample) error {
	r.mu.Lock()
	if r.to != nil || r.busy {
		defer r.mu.Unlock()
		return fmt.Errorf("%s is being recorded already", r.state.File)
	}
	r.busy = true
	r.mu.Unlock() // looking through a file that is there takes a while
	file, size, err := create(name, r.with.Head.Host)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy = false; err != nil {
		return err
	}
	s := &session{file, make(chan heard, queueMax), make(chan struct{})}
	if first != nil && !first.Time.IsZero() {
		s.queue <- heard{first, r.standing, nil}
	}
	r.to, r.crossed, r.state = s, nil, State{File: name, On: true, Bytes: size}
	beside := r.with.Beside
	if beside == nil {
		beside = func(f func()) { go f() }
	}
	beside(func() { r.write(s, size) })
	return nil
}

// Stop ends the recording, with everything written that was heard.
func (r *Recorder) Stop() (State, error) {
	r.mu.Lock()
	s := r.to
	if r.to = nil; s != nil {
		close(s.queue)
	}
	r.mu.Unlock()
	if s != nil {
		<-s.done
	}
	state := r.State()
	return state, state.Err
}

// write writes until the queue is closed, or something fails.
func (r *Recorder) write(s *session, size int64) {
	defer close(s.done)
	head := r.with.Head
	head.Time = time.Now()
	w, err := NewWriter(s.file, head)
	var marked time.Time
	told := map[string]history.Mark{}
	var watch history.Watch
	mark := func(at time.Time) {
		if d := at.Sub(marked); d >= 0 && d < marksEvery { // else it is time, or the clock was set back
			return
		}
		marked = at
		if err == nil && r.with.Marks != nil {
			err = w.Mark(news(told, r.with.Marks(head.Time))...)
		}
		if err == nil && r.with.Names != nil {
			err = w.Names(r.with.Names())
		}
	}
	for sample := range s.queue {
		mark(sample.Time)
		if err == nil {
			err = w.Sample(sample.Sample)
		}
		if err == nil {
			err = w.Alarms(sample.standing)
		}
		if err == nil {
			err = w.Mark(append(watch.Add(sample.Sample), sample.crossed...)...)
		}
		if err == nil && r.with.Reports != nil {
			if report := r.with.Reports(); report != nil {
				err = w.Report(report)
			}
		}
		r.wrote(size+w.wrote, sample.Sample, err)
		if err != nil {
			break
		}
	}
	mark(marked.Add(marksEvery))
	if err == nil {
		err = w.Flush()
	}
	err = errors.Join(err, s.file.Sync(), s.file.Close())
	r.ended(s, size+w.wrote, err)
}

// news are the marks that were not told yet, or that have ended meanwhile.
func news(told map[string]history.Mark, marks []history.Mark) (out []history.Mark) {
	for _, m := range marks {
		key := m.Plan + m.Time.String() + m.Text
		if was, ok := told[key]; !ok || !was.Until.Equal(m.Until) {
			told[key] = m
			out = append(out, m)
		}
	}
	return out
}

func (r *Recorder) wrote(bytes int64, s *ops.Sample, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.Bytes = bytes; err != nil {
		return
	}
	if r.state.Samples++; r.state.From.IsZero() {
		r.state.From = s.Time
	}
	r.state.To = s.Time
}

// ended notes how a session ended. One that ended by itself hears no more.
func (r *Recorder) ended(s *session, bytes int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == s {
		r.to = nil
	}
	r.state.On, r.state.Bytes = false, bytes
	if err != nil {
		r.state.Err = fmt.Errorf("the recording ended: %w; %s plays up to there", err, r.state.File)
	}
}

// create makes a file, or takes one up that is a recording of this host, whole or
// torn by a kill. It gives the bytes that are there.
func create(name, host string) (*os.File, int64, error) {
	const how = syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|how, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return takeUp(name, host, how)
	}
	if err != nil {
		return nil, 0, err
	}
	err = lock(name, f)
	if err == nil {
		_, err = f.WriteString(magic)
	}
	if err != nil {
		f.Close()
		os.Remove(name)
		return nil, 0, err
	}
	return f, int64(len(magic)), nil
}

func takeUp(name, host string, how int) (*os.File, int64, error) {
	f, err := os.OpenFile(name, os.O_RDWR|how, 0)
	if errors.Is(err, syscall.ELOOP) {
		err = fmt.Errorf("%s: is a symbolic link: a recording is written to a file itself", name)
	}
	if err != nil {
		return nil, 0, err
	}
	var end int64
	err = lock(name, f)
	if err == nil {
		end, err = goesOn(name, host, f) // which nobody moves any more
	}
	if err == nil {
		err = f.Truncate(end) // what a kill left of a block
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, end, nil
}

// goesOn is where a recording can be continued, or why it cannot.
func goesOn(name, host string, f *os.File) (int64, error) {
	old, err := openFile(name, f)
	if err != nil {
		return 0, fmt.Errorf("the file is there and is left alone: %w", err)
	}
	if old.cut != nil && !old.torn {
		return 0, fmt.Errorf("it is damaged, and left alone; record to another file: %w", old.cut)
	}
	if at := slices.IndexFunc(old.heads, func(h Head) bool { return h.Host != host }); at >= 0 {
		return 0, fmt.Errorf("%s: is a recording of %s, and this is %s: record to another file", name, old.heads[at].Host, host)
	}
	return old.end, nil
}

// lock keeps two from writing one file.
func lock(name string, f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("%s: is being recorded by another lvsdeck", name)
	}
	return nil
}
