package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/record"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
)

// replayKeys move in a recording from every screen on which nothing is typed.
var replayKeys = []string{",", ".", "{", "}", "(", ")", "@"}

const replayGroup = "Record and replay"

func replayCommands() []command {
	const g = replayGroup
	player := func(f func(*record.Player)) func(*Model) tea.Cmd {
		return do(func(m *Model) { f(m.opts.Replay) })
	}
	return []command{
		{g, []string{"V"}, "record what is shown to a file, or end that", "", (*Model).toggleRecord, cannotRecord},
		{g, []string{","}, "in a recording: one reading back", "back", player(func(p *record.Player) { p.Step(-1) }), notReplaying},
		{g, []string{"."}, "in a recording: one reading on", "on", player(func(p *record.Player) { p.Step(1) }), notReplaying},
		{g, []string{"{"}, "in a recording: play slower", "", player(func(p *record.Player) { p.Faster(-1) }), notReplaying},
		{g, []string{"}"}, "in a recording: play faster", "faster", player(func(p *record.Player) { p.Faster(1) }), notReplaying},
		{g, []string{"@"}, "in a recording: go to a time", "time", do(openMoment), notReplaying},
		{g, []string{"("}, "in a recording: to the change, finding or crossing before", "", do(func(m *Model) { m.goToMark(false) }), notReplaying},
		{g, []string{")"}, "in a recording: to the next change, finding or crossing", "mark", do(func(m *Model) { m.goToMark(true) }), notReplaying},
	}
}

// replayFirst puts the keys that play a recording before all others.
func replayFirst(a, b command) int {
	first := func(c command) bool { return c.group == replayGroup || slices.Contains(c.keys, "p") }
	switch {
	case first(a) == first(b):
		return 0
	case first(a):
		return -1
	}
	return 1
}

func cannotRecord(m *Model) string {
	switch {
	case m.opts.Replay != nil:
		return "this is a recording already"
	case m.opts.Recorder == nil:
		return "nothing can be recorded here"
	}
	return ""
}

func notReplaying(m *Model) string {
	if m.opts.Replay == nil {
		return "this is live; a recording is played with: lvsdeck --replay FILE"
	}
	return ""
}

// notRecorded is why something of the live host cannot be shown of a recording.
func (m *Model) notRecorded(what string) string {
	if m.opts.Replay == nil {
		return ""
	}
	return "a recording has no " + what
}

// notRecordedOr is the same where there may be another reason.
func (m *Model) notRecordedOr(what, why string) string { return cmp.Or(m.notRecorded(what), why) }

// toggleRecord asks for a file to record to, or ends the recording.
func (m *Model) toggleRecord() tea.Cmd {
	recorder := m.opts.Recorder
	if recorder.State().On {
		return beside(func(context.Context) (record.State, error) { return recorder.Stop() }, func(m *Model, s record.State, err error) tea.Cmd {
			if m.recorded = s.Err; err == nil {
				m.message = fmt.Sprintf("recorded: %d readings, %sB in %s", s.Samples, figure.Count(uint64(s.Bytes)), s.File)
			} else {
				m.tell("The recording is not whole", err)
			}
			return nil
		})
	}
	m.push(&linePrompt{prompt: newPrompt("record to", "a name, or a path", m.fileName("rec")), done: func(m *Model, typed string) (tea.Cmd, error) {
		if typed == "" {
			return nil, errors.New("a file needs a name")
		}
		first := m.live
		return beside(func(context.Context) (string, error) { return typed, recorder.Start(typed, first) }, func(m *Model, name string, err error) tea.Cmd {
			if err != nil {
				m.tell("Nothing is recorded", err)
			} else {
				m.message = "recording to " + name + "; V ends it"
			}
			return nil
		}), nil
	}})
	return nil
}

// hearRecorder says once that a recording ended by itself.
func (m *Model) hearRecorder() {
	if m.opts.Recorder == nil {
		return
	}
	if err := m.opts.Recorder.State().Err; err != nil && err != m.recorded {
		m.recorded = err
		m.tell("The recording ended", err)
	}
}

// recordSegment tells all the time that a recording goes on.
func (m *Model) recordSegment() (s segment, on bool) {
	if m.opts.Recorder == nil {
		return s, false
	}
	state := m.opts.Recorder.State()
	s = segment{paint.Accent, "rec " + figure.Count(uint64(state.Bytes)) + "B", 7}
	if state.Lost > 0 {
		s.style, s.text = paint.Warn, fmt.Sprintf("%s, %d lost", s.text, state.Lost)
	}
	return s, state.On
}

// replaySegment is in the place of how fresh a live picture is.
func (m *Model) replaySegment() segment {
	s := m.opts.Replay.State()
	speed := strconv.FormatFloat(s.Speed, 'f', -1, 64) + "x"
	switch {
	case s.Ended:
		return segment{paint.Warn, m.signs.Paused + " at the end", 9}
	case s.Filling:
		return segment{paint.Warn, fmt.Sprintf("%s reading %d%%", m.signs.Paused, s.Filled), 9}
	case !s.Playing:
		return segment{paint.Warn, m.signs.Paused + " paused " + speed, 9}
	}
	return segment{paint.Plain, m.signs.Live + " playing " + speed, 9}
}

// takeNames shows the names that rows had when it was recorded.
func (m *Model) takeNames() {
	if m.opts.Replay == nil || m.opts.Replay.Names() == m.names {
		return
	}
	m.names = m.opts.Replay.Names()
	m.list.SetLabels(services.NewLabels(m.names.All))
}

// replayNotice is what of the recording cannot be played, or "".
func (m *Model) replayNotice() string {
	if m.opts.Replay == nil {
		return ""
	}
	for _, err := range []error{m.opts.Replay.State().Err, m.opts.Replay.File().Cut()} {
		if err != nil {
			return err.Error()
		}
	}
	if n := m.opts.Replay.File().LostMarks(); n > 0 {
		return fmt.Sprintf("the recording has too many changes and findings: the oldest %d are left out", n)
	}
	return ""
}

func (m *Model) togglePlay() {
	p := m.opts.Replay
	if s := p.State(); s.Ended {
		m.message = "the recording ends here; , steps back, @ goes to a time"
	} else {
		p.Play(!s.Playing)
	}
}

// goToMark says when there is none: the player stays where it is.
func (m *Model) goToMark(after bool) {
	marks := m.opts.Replay.Mark(after)
	switch {
	case len(marks) > 0:
		m.message = marks[0].Time.In(m.clock().Location()).Format(time.TimeOnly) + "  "
		if n := len(marks) - 1; n > 0 { // before what may be cut off
			m.message += fmt.Sprintf("(and %d more) ", n)
		}
		m.message += marks[0].Text
	case after:
		m.message = "nothing was changed or found after this"
	default:
		m.message = "nothing was changed or found before this"
	}
}

// openMoment asks for the time to go to.
func openMoment(m *Model) {
	m.push(&linePrompt{prompt: newPrompt("go to", "14:03, 14:03:20, -10m or +30s", ""), done: func(m *Model, typed string) (tea.Cmd, error) {
		s := m.opts.Replay.State()
		t, err := Moment(typed, m.clock(), s.From, s.To)
		if err == nil {
			m.opts.Replay.Jump(t)
		}
		return nil, err
	}})
}
