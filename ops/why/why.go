package why

import (
	"context"
	"fmt"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
)

// Mark is how the answer to a question stands.
type Mark uint8

// The marks.
const (
	Unknown Mark = iota // not known, or nobody was asked
	NotHere             // no question for this mode or protocol
	Fine
	Look // worth a look
	Bad
)

func (m Mark) String() string { return [...]string{"not known", "not here", "fine", "look", "bad"}[m] }

// Answer is a question and what was found out.
type Answer struct {
	Topic    string // the question in a word or two
	Question string
	Mark     Mark
	Says     string   // in one line
	Evidence []string // with figures
}

// Sources are where answers come from.
type Sources struct {
	// Scene looks at a service and around on the director.
	Scene func(context.Context, ipvs.ServiceID) (check.Scene, error)

	// Probe asks the servers of a scene's one service by packets, and the VIP's
	// segment who has it. Nil: that cannot be done here.
	Probe func(context.Context, check.Scene) (check.Asked, error)

	// History reads the journal. Nil: what was changed is not known.
	History func() (plan.History, error)

	// Saved compares what runs with what is saved. Nil: it is as the scene says.
	Saved func(context.Context) (*keep.Comparison, error)
}

// FromWatch are sources of what a watch sees, with probes.
func FromWatch(w *check.Watch) Sources {
	return Sources{Scene: w.SceneOf, Probe: func(ctx context.Context, s check.Scene) (check.Asked, error) {
		return w.ProbeIn(ctx, s, func(ipvs.ServiceID) bool { return true }, nil)
	}}
}

// Verdict is what a walk came to.
type Verdict struct {
	At       check.Place
	Probed   bool // the servers were asked by packets
	Answers  []Answer
	Findings []check.Finding // about the place and the director, worst first
	Relief   *plan.Plan      // takes clients from servers that fail; nil: none is known
	Next     []string        // what to look at where nothing above a notice was found
	Captures []Capture
	Unread   []string // what could not be looked at

	// Nothing above a notice is found: Relieved, as servers that fail get no new
	// clients, of which Findings are; or Mended, of what was found the last time.
	Relieved, Mended bool

	standing []check.Finding // what is wrong, though nobody may be hit by it
}

// Wrong tells that something was found.
func (v *Verdict) Wrong() bool {
	worst, any := check.Worst(v.Findings)
	return any && worst > check.Notice
}

// Walk is one walk on its way. It is not safe for concurrent use.
type Walk struct {
	from    Sources
	probing bool
	at      check.Place
	service *ops.Service
	servers []*ops.Server // that are asked about
	scene   check.Scene
	asked   check.Asked // when the servers were

	before   []check.Finding // what was wrong the last time
	found    []check.Finding // about the service, without symptoms that are explained
	symptoms []check.Finding // all of them
	verdict  Verdict
}

// Begin begins to ask about a service, or with a server about that one. Packets are
// sent only when probing is wanted and can be done.
func Begin(from Sources, at check.Place, probing bool) *Walk {
	return &Walk{from: from, at: at, probing: probing && from.Probe != nil, verdict: Verdict{At: at}}
}

// After tells the walk what one before it came to, so that its verdict says what has
// become of that.
func (w *Walk) After(v *Verdict) *Walk {
	if v != nil {
		w.before = v.standing
	}
	return w
}

// Asking is the question that is asked next, or "" after the last.
func (w *Walk) Asking() string {
	if n := len(w.verdict.Answers); n < len(questions) {
		return questions[n].asks
	}
	return ""
}

// Next asks the next question. The error is that there is no such row, that the
// director could not be looked at or probed at all, or the context's.
func (w *Walk) Next(ctx context.Context) (Answer, error) {
	q := questions[len(w.verdict.Answers)]
	if q.before != nil {
		if err := q.before(w, ctx); err != nil {
			return Answer{}, err
		}
	}
	a := w.answer(q)
	w.verdict.Answers = append(w.verdict.Answers, a)
	return a, ctx.Err()
}

// Verdict is what all answers together come to, after the last.
func (w *Walk) Verdict() Verdict {
	v := &w.verdict
	v.Findings = w.mine(w.found)
	for _, f := range w.unasked() {
		if r := w.server(f); r == nil || r.Weight > 0 {
			v.Findings = append(v.Findings, f)
		}
	}
	check.Sort(v.Findings)
	if v.Wrong() { // what is only good to know stands with its answer
		v.Findings = slices.DeleteFunc(v.Findings, func(f check.Finding) bool { return f.Severity == check.Notice })
		v.standing = v.Findings
	} else if told, before := w.relieved(v.Findings); len(told) > 0 {
		v.Findings, v.standing, v.Relieved = told, before, true
	} else {
		v.Mended = len(w.before) > 0
	}
	v.Unread = w.scene.Unread
	v.Relief = w.relief(v.Findings)
	if !v.Wrong() {
		v.Next = w.next()
	}
	v.Captures = w.capture(v.Findings).captures()
	return *v
}

// All asks all questions, and tells each answer as it comes.
func (w *Walk) All(ctx context.Context, tell func(Answer)) (Verdict, error) {
	for w.Asking() != "" {
		a, err := w.Next(ctx)
		if err != nil {
			return Verdict{}, err
		}
		tell(a)
	}
	return w.Verdict(), nil
}

// around looks around, with the one service in sight.
func (w *Walk) around(ctx context.Context) (err error) {
	if w.scene, err = w.from.Scene(ctx, w.at.Service); err != nil {
		return err
	}
	if err := w.find(); err != nil {
		return err
	}
	if w.from.Saved != nil {
		if w.scene.Saved, err = w.from.Saved(ctx); err != nil {
			w.scene.Unread = append(slices.Clone(w.scene.Unread), fmt.Sprintf("whether the rules are saved: %v", err))
		}
	}
	only := *w.scene.Sample
	only.Services = []*ops.Service{w.service}
	w.scene.Sample = &only
	w.found = w.about(check.Run(w.scene))
	for _, c := range check.Checks {
		if !c.Symptom {
			continue
		}
		for _, f := range w.about(c.Look(&w.scene)) {
			f.Check = c.Name
			w.symptoms = append(w.symptoms, f)
		}
	}
	return nil
}

// find finds the rows in the sample.
func (w *Walk) find() error {
	all := w.scene.Sample.Services
	i := slices.IndexFunc(all, func(v *ops.Service) bool { return v.ServiceID == w.at.Service })
	if i < 0 {
		return fmt.Errorf("%s: the table has no such service", w.at.Service)
	}
	w.service = all[i]
	w.servers = w.service.Servers
	if !w.at.Server.IsValid() {
		return nil
	}
	i = slices.IndexFunc(w.servers, func(r *ops.Server) bool { return r.Addr == w.at.Server })
	if i < 0 {
		return fmt.Errorf("%s: %s has no such server", w.at.Server, w.at.Service)
	}
	w.servers = w.servers[i : i+1]
	return nil
}

// ask sends probes, if that is wanted.
func (w *Walk) ask(ctx context.Context) error {
	if !w.probing || w.service.IsMark() {
		return nil
	}
	asked, err := w.from.Probe(ctx, w.scene)
	if err != nil {
		return err
	}
	w.verdict.Probed, w.asked = true, asked
	w.found = check.Merge(w.found, asked.Findings())
	return nil
}

// about are the findings about the service and about the whole director.
func (w *Walk) about(all []check.Finding) (about []check.Finding) {
	for _, f := range all {
		if (f.Service == ipvs.ServiceID{}) || f.Service == w.at.Service {
			about = append(about, f)
		}
	}
	return about
}

// mine are those that are not about another server than the one asked about.
func (w *Walk) mine(all []check.Finding) (mine []check.Finding) {
	for _, f := range all {
		if (f.Service == ipvs.ServiceID{}) || f.About(w.at.Service, w.at.Server) {
			mine = append(mine, f)
		}
	}
	return mine
}

// answer looks, and lets findings speak where there are any.
func (w *Walk) answer(q question) Answer {
	a := q.look(w)
	a.Topic, a.Question = q.topic, q.asks
	from := w.found
	if q.symptoms {
		from = w.symptoms
	}
	var found []check.Finding
	for _, f := range w.mine(from) {
		if q.takes(f) {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return a
	}
	check.Sort(found)
	says := w.short(found[0])
	if n := len(found) - 1; n > 0 {
		says += fmt.Sprintf(" (and %d more)", n)
	}
	spoken := a.Mark == Look && found[0].Severity == check.Notice // what was seen says more
	if !spoken {
		a.Says = says
	}
	if a.Mark = Look; found[0].Severity == check.Fault {
		a.Mark = Bad
	}
	var evidence []string
	for i, f := range found {
		if i > 0 || spoken {
			evidence = append(evidence, w.short(f))
		}
		evidence = append(evidence, f.Evidence...)
	}
	a.Evidence = append(evidence, a.Evidence...)
	return a
}

// short is a finding with its server, unless that is the one asked about.
func (w *Walk) short(f check.Finding) string {
	if f.Server.IsValid() && f.Server != w.at.Server {
		return f.Server.String() + ": " + f.Short
	}
	return f.Short
}
