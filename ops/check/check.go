package check

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
)

// Severity is how bad a finding is.
type Severity uint8

// The severities.
const (
	Notice  Severity = iota // good to know
	Warning                 // something will go wrong, or does for some
	Fault                   // clients are not served
)

func (s Severity) String() string { return [...]string{"notice", "warning", "fault"}[s] }

// Finding is something that is wrong.
type Finding struct {
	Check    string
	Severity Severity
	Service  ipvs.ServiceID // zero: it is about the whole director
	Server   netip.AddrPort // zero: about all servers of the service
	Short    string         // in a few words
	Evidence []string       // how it is known, with figures; never empty
	Means    string         // for clients
	Fix      *plan.Plan     // what ends it; nil when the director cannot
	Lines    []string       // commands for the real server, each with what to look for
	Since    time.Time      // when a Watch first found it, round after round

	// Also are other services it is about in the same way.
	Also []ipvs.ServiceID

	explains bool // even as a warning it is reason enough for symptoms
	held     bool // it was not seen in the last round
	blind    bool // the last round could not see whether it still is
}

// Check looks for one thing in a scene.
type Check struct {
	Name    string
	Look    func(*Scene) []Finding
	Symptom bool // told only where no fault explains it
	Wavers  bool // it may come and go while nothing changes, as symptoms do

	// Explains tells that even a warning is reason enough for symptoms: it becomes as
	// bad as the worst of them.
	Explains bool

	// Blind tells that a scene does not have what shows whether a finding of before
	// still is. Nil: it always has.
	Blind func(*Scene, Finding) bool
}

// Checks are all there are.
var Checks = []Check{
	{Name: "vip", Look: vips},
	{Name: "link", Look: unplugged},
	{Name: "forwarding", Look: forwarding},
	{Name: "firewall", Look: firewalls},
	{Name: "conntrack", Look: conntracked},
	{Name: "full nat", Look: fullNAT},
	{Name: "redirects", Look: redirects},
	{Name: "route", Look: routes, Explains: true},
	{Name: ofNeighbour, Look: neighbours, Wavers: true, Explains: true, Blind: notHeardOf},
	{Name: "ports", Look: ports, Explains: true},
	{Name: "no server", Look: unserved},
	{Name: "scheduler", Look: schedulers},
	{Name: "threshold", Look: thresholds, Wavers: true},
	{Name: "mark", Look: unmarked},
	{Name: "drain", Look: drains},
	{Name: "conn_reuse_mode", Look: reuse},
	{Name: "removed server", Look: removed, Blind: noLoads},
	{Name: "shortcut", Look: shortcuts, Wavers: true, Blind: noLoads},
	{Name: "defence", Look: defended},
	{Name: "estimator", Look: estimator},
	{Name: "table size", Look: tableSize},
	{Name: "conntrack table", Look: conntrackTable},
	{Name: "owner", Look: owners},
	{Name: "unsaved", Look: unsaved},
	{Name: "sync daemon", Look: daemons},
	{Name: "iptables", Look: backends},
	{Name: "share", Look: shares, Wavers: true},
	{Name: "persistence", Look: heavy, Wavers: true, Blind: noLoads},
	{Name: "flood", Look: floods, Symptom: true, Blind: noLoads}, // goes before those of single servers
	{Name: "half-open", Look: halfOpen, Symptom: true, Blind: noLoads},
	{Name: "answers", Look: answers, Symptom: true},
	{Name: "handshakes", Look: handshakes, Symptom: true},
}

// Run makes all checks. The worst findings come first, those of the director
// before those of services. Of several symptoms of one server the first is told.
func Run(s Scene) []Finding {
	s.prepare()
	var causes, symptoms []Finding
	for _, c := range Checks {
		for _, f := range c.Look(&s) {
			f.Check, f.explains = c.Name, c.Explains
			switch {
			case !c.Symptom:
				causes = append(causes, f)
			case !slices.ContainsFunc(symptoms, f.within):
				symptoms = append(symptoms, f)
			}
		}
	}
	all := explain(causes, symptoms)
	Sort(all)
	return all
}

// explain leaves out the symptoms that have a cause. The cause shows how bad they
// are, and that they are.
func explain(causes, symptoms []Finding) (all []Finding) {
	all = slices.Clone(causes)
	for _, f := range symptoms {
		i := slices.IndexFunc(all[:len(causes)], f.explainedBy)
		if i < 0 {
			all = append(all, f)
			continue
		}
		if cause := &all[i]; cause.Severity < f.Severity {
			cause.Severity = f.Severity
			cause.Evidence = slices.Concat(cause.Evidence, f.Evidence)
			cause.Means = f.Means
		}
	}
	return all
}

// within tells that another finding is about the same server, or all of the service's.
func (f Finding) within(other Finding) bool {
	return other.isOf(f.Service) && (!other.Server.IsValid() || other.Server == f.Server)
}

// isOf tells that a finding is about a service.
func (f Finding) isOf(id ipvs.ServiceID) bool {
	return f.Service == id || slices.Contains(f.Also, id)
}

// explainedBy tells that a cause is reason enough for a symptom: a fault is, and so
// is a warning that says of itself that it may be one.
func (f Finding) explainedBy(cause Finding) bool {
	reason := cause.Severity == Fault || cause.Severity == Warning && cause.explains
	return reason && (cause.Service == ipvs.ServiceID{} || f.within(cause))
}

// Sort puts findings into their order.
func Sort(all []Finding) {
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.Service.Compare(b.Service), a.Server.Compare(b.Server), cmp.Compare(a.Check, b.Check))
	})
}

// Worst is the severity of the worst; none is less than a notice.
func Worst(all []Finding) (worst Severity, any bool) {
	for _, f := range all {
		worst = max(worst, f.Severity)
	}
	return worst, len(all) > 0
}

// evidence is lines for a finding.
func evidence(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }

// fix is a plan, or nil without steps.
func fix(title string, items ...plan.Item) *plan.Plan {
	if len(items) == 0 {
		return nil
	}
	if len(items) == 1 {
		title = items[0].Step.String()
	}
	return &plan.Plan{Title: title, Items: items}
}
