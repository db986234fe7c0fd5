package ui

import (
	"net/netip"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/pulse"
	"lvsdeck/ops/record"
	"lvsdeck/ops/task"
	"lvsdeck/ops/why"
	"lvsdeck/persist"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
)

// Source is where samples come from; *ops.Sampler is one.
type Source interface {
	// Latest is the newest sample, or nil before the first.
	Latest() *ops.Sample
	// Updated has a value when Latest has changed.
	Updated() <-chan struct{}
	SetInterval(time.Duration)
	// Focus names the services whose servers' own counters are on screen.
	Focus([]ipvs.ServiceID)
	// ReadNow asks for a reading at once.
	ReadNow()
}

// Options say what the console looks at and how.
type Options struct {
	Source    Source
	Host      string
	Interval  time.Duration
	Demo      string         // the kind of made-up traffic, or "" for the truth
	Limits    ipvs.Limits    // what cannot be changed or seen
	Hands     *plan.Runner   // changes the table; nil: nothing can be changed
	Store     *persist.Store // journal, names and notes; nil: none can be read
	Tasks     *task.Keeper   // works over time; nil: only watches
	RulesFile string         // where the host keeps its rules
	ASCII     bool

	Table    ipvs.Reader         // for what samples leave out: timeouts, sync daemons
	Conns    conns.Source        // the table of connections; nil: cannot be read
	Checks   Checks              // what is wrong; nil: nobody looks
	System   netcfg.Host         // the host around the table
	Owner    func() *owner.Owner // who else manages the table; nil: nobody looks
	Operator netip.Addr          // where the operator's SSH session comes from; invalid: not over SSH
	Now      func() time.Time    // time.Now when nil

	Peers func() ([]netip.Addr, error) // the far ends of SSH connections to this host; nil: nobody looks

	History *history.Store // the figures of the last hours; nil: none are kept

	Incidents *incident.Watch // thresholds and the incident log; nil: none
	Silent    bool            // crossed thresholds ring no bell, unless that is switched on

	Recorder  *record.Recorder // nil: nothing can be recorded
	Replay    *record.Player   // the Source, when it is a recording, see Replaying; else nil
	hindsight *hindsight       // of that

	Why     why.Sources                 // who answers why something does not work; no Scene: nobody
	SetUps  SetUps                      // nil: nothing can be set up
	Pending Pending                     // nil: no change waits to be confirmed
	Servers Servers                     // real servers by ssh; nil: out of reach
	Tick    func(time.Duration) tea.Cmd // redraws in a while; nil: samples do
}

// The smallest screen that keys act on.
const (
	minWidth  = 60
	minHeight = 16
)

// frameLines is the lines around the body: status, totals, rule, rule, keys.
const frameLines = 5

// intervals are the steps between readings that the keys go through.
var intervals = []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, 60 * time.Second}

// Model is the console. It is the only Bubble Tea model; screens and layers
// are plain structs it calls.
type Model struct {
	opts     Options
	commands []command
	theme    *paint.Theme
	signs    *paint.Signs

	width, height int
	sample        *ops.Sample // on screen
	live          *ops.Sample // newest; differs while paused
	paused        bool
	interval      time.Duration
	replies       bool // some service's answers pass the director
	trouble       trouble

	list    *services.List
	set     int // columns, index into services.Sets
	detail  bool
	showLog bool
	layers  []layer  // above the home screen, the topmost last
	message string   // answer to the last key, until the next
	offered []string // keys and what they do in the line of keys drawn last
	mouse   bool
	focus   []ipvs.ServiceID
	hands   hands
	kept    kept
	owner   *owner.Owner // who else manages the table, or nil
	tasks   *task.Keeper
	about   []services.About // the row under the cursor
	report  *check.Report    // of the newest round of checks, or nil
	pulse   *pulse.Watch
	unusual []pulse.Row // the worst first
	shares  *connsView  // the newest reading of connections that the pulse has made, or nil

	alarms    []alarm.Status // how thresholds stand
	crossings int            // that were heard of
	silent    bool           // crossings ring no bell

	names          *record.Names // of a recording's rows
	recorded       error         // how a recording ended that was heard of
	pending        confirm.State // what waits to be confirmed
	lookingPending bool
	ticking        bool

	keyAt    time.Time     // of the last key
	sinceKey time.Duration // between the last two

	heard int // changes of the table of which the journal was asked

	frame string
	stale bool // frame must be drawn anew
}

// sampleMsg says that the source has something newer.
type sampleMsg struct{}

// New makes the console's model.
func New(opts Options) *Model {
	m := &Model{
		opts:     opts,
		commands: commandTable(),
		theme:    paint.NewTheme(colorprofile.ASCII),
		signs:    paint.Unicode,
		interval: opts.Interval,
		list:     services.NewList(),
		hands:    newHands(opts.Hands),
		tasks:    opts.Tasks,
		pulse:    &pulse.Watch{},
		silent:   opts.Silent,
		stale:    true,
	}
	if m.tasks == nil {
		m.tasks = task.NewKeeper(task.Options{Source: opts.Source})
	}
	if opts.Replay != nil { // its keys come first
		slices.SortStableFunc(m.commands, replayFirst)
	}
	if opts.ASCII {
		m.signs = paint.ASCII
	}
	return m
}

func (m *Model) now() time.Time {
	if m.opts.Now == nil {
		return time.Now()
	}
	return m.opts.Now()
}

// Init implements tea.Model. A sample that is there already is shown in the
// first frame.
func (m *Model) Init() tea.Cmd {
	m.takeSample()
	return tea.Batch(m.lookBack(), m.hearAlarms(), m.lookPending())
}

// Update implements tea.Model.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.ColorProfileMsg:
		m.theme = paint.NewTheme(msg.Profile)
	case sampleMsg:
		m.takeSample()
		cmd = tea.Batch(m.hearChanges(), m.compareDue(), m.hearTasks(), m.hearAlarms(), m.followIncidents(), m.lookPending())
	case secondMsg:
		m.ticking = false
		cmd = m.lookPending()
	case tea.KeyPressMsg:
		cmd = m.key(msg)
	case tea.PasteMsg:
		if top := m.top(); top != nil && !m.tooSmall() {
			top.Paste(m, msg.Content)
		}
	case lateMsg:
		cmd = m.madeLate(msg)
	case readMsg:
		if msg.err != nil {
			m.tell("This could not be read", msg.err)
		} else {
			msg.show(m)
		}
	case ranMsg:
		cmd = tea.Batch(m.ran(msg), m.compare())
	case besideMsg:
		cmd = msg(m)
	case tea.MouseWheelMsg:
		m.wheel(msg)
	case tea.MouseClickMsg:
		m.click(msg)
	default:
		return m, nil
	}
	m.settle()
	return m, cmd
}

// settle brings everything that depends on something else up to date: the list's
// height, what the sampler should look at, and the frame.
func (m *Model) settle() {
	m.takeAim()
	if m.about = nil; m.detail {
		m.about = slices.Concat(m.aboutCrossed(), m.aboutFound(), m.aboutDrain())
	}
	m.list.SetHeight(m.listHeight())
	ids := m.list.Visible(m.services().Sums(m.list, m.width))
	if w, ok := m.top().(watcher); ok {
		ids = w.watched()
	}
	if !slices.Equal(ids, m.focus) {
		m.focus = ids
		m.opts.Source.Focus(ids)
	}
	m.stale = true
}

// takeSample shows the newest sample, unless paused, and looks who owns the
// table by now.
func (m *Model) takeSample() {
	m.live = m.opts.Source.Latest()
	if m.opts.Owner != nil {
		m.owner = m.opts.Owner()
	}
	m.takeReport()
	m.hearRecorder()
	m.takeNames()
	m.takePast()
	m.forgetWritten()
	if !m.paused {
		m.show(m.live)
	}
}

func (m *Model) show(s *ops.Sample) {
	if s == nil || s == m.sample || s.Time.IsZero() { // without a time, nothing was ever read
		return
	}
	m.sample = s
	m.replies = slices.ContainsFunc(s.Services, func(s *ops.Service) bool {
		return len(s.Servers) > 0 && s.Forwards.CountsReplies()
	})
	m.trouble = findTrouble(s)
	m.list.SetSample(s)
}

// trouble counts services of which not all servers take new connections, and
// those of which none does.
type trouble struct{ part, none int }

func findTrouble(s *ops.Sample) (t trouble) {
	for _, v := range s.Services {
		switch {
		case v.Up == 0:
			t.none++
		case services.Troubled(v):
			t.part++
		}
	}
	return t
}

func (m *Model) tooSmall() bool { return m.width < minWidth || m.height < minHeight }

func (m *Model) services() services.View {
	return services.View{Theme: m.theme, Signs: m.signs, Set: m.set, About: m.about}
}

// togglePause holds the picture while sampling goes on, or shows the newest.
func (m *Model) togglePause() {
	if m.opts.Replay != nil {
		m.togglePlay()
		return
	}
	if m.sample == nil {
		m.message = "nothing was read that could be held"
		return
	}
	m.paused = !m.paused
	if !m.paused {
		m.show(m.live)
	}
}

// stepInterval goes to the next longer or shorter interval.
func (m *Model) stepInterval(longer bool) {
	if m.opts.Replay != nil {
		m.message = "the readings were made; { and } play them slower and faster"
		return
	}
	next := m.interval
	if longer {
		if i := slices.IndexFunc(intervals, func(d time.Duration) bool { return d > m.interval }); i >= 0 {
			next = intervals[i]
		}
	} else {
		for _, d := range intervals {
			if d < m.interval {
				next = d
			}
		}
	}
	if next == m.interval {
		m.message = "readings come every 1 s at the most, every 60 s at the least"
		return
	}
	m.interval = next
	m.opts.Source.SetInterval(next)
}
