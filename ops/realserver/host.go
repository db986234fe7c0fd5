package realserver

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// Draft is what this host has to become a real server.
type Draft struct {
	Plan   plan.Plan
	Passed []string // steps that are not needed here, and why
}

// Address finds out the address as which this host reaches its director.
func Address(host netcfg.Surroundings, director netip.Addr) (netip.Addr, error) {
	path, err := host.Path(director, netip.Addr{})
	switch {
	case err != nil:
		return netip.Addr{}, err
	case path.Local:
		return netip.Addr{}, fmt.Errorf("gateway %s: is an address of this host; on a real server it is another's, elsewhere name the server's own with --address", director)
	}
	return path.Source, nil
}

// Make looks at the host and makes the plan. It changes nothing.
func Make(host netcfg.Host, w Want) (Draft, error) {
	all, err := Steps(w)
	if err == nil && len(all) == 0 {
		err = ErrNothing
	}
	if err != nil {
		return Draft{}, err
	}
	m := making{host: host, Draft: Draft{Plan: plan.Plan{Title: w.String()}}}
	for _, s := range all {
		why, err := m.pass(s)
		switch {
		case err != nil:
		case why != "":
			m.Passed = append(m.Passed, s.String()+": "+why)
		case s.Setting != nil:
			m.add(have(s.Setting), s.Reason)
		case len(s.Sysctl.Fine) > 0:
			err = m.effective(s)
		default:
			err = m.each(s)
		}
		if err != nil {
			return Draft{}, err
		}
	}
	return m.Draft, nil
}

type making struct {
	Draft
	host netcfg.Host
}

func (m *making) add(s plan.Step, reason string) {
	m.Plan.Items = append(m.Plan.Items, plan.Item{Step: s, Reason: reason})
}

// pass says why a step is not needed.
func (m *making) pass(s Step) (why string, err error) {
	switch {
	case s.Needs != "":
		if _, err = m.host.Has(s.Setting); errors.Is(err, netcfg.ErrNoIPTables) {
			return s.Needs + " is not here", nil
		}
	case s.Unless.IsValid():
		var path netcfg.Path
		path, err = m.host.Path(far(s.Unless.Is6()), netip.Addr{})
		if err == nil && path.Via == s.Unless {
			return fmt.Sprintf("the default gateway is %s anyway", s.Unless), nil
		}
		if errors.Is(err, netcfg.ErrNoRoute) {
			err = nil
		}
	}
	return "", err
}

func have(s netcfg.Setting) plan.Step {
	switch s := s.(type) {
	case netcfg.Address:
		return plan.Have(s)
	case netcfg.Up:
		return plan.Have(s)
	case netcfg.AnyInside:
		return plan.Have(s)
	case netcfg.GUE:
		return plan.Have(s)
	case netcfg.Route:
		return plan.Have(s)
	case netcfg.Rule:
		return plan.Have(s)
	case netcfg.Module:
		return plan.Have(s)
	case netcfg.Filter:
		return plan.Have(s)
	}
	panic(fmt.Sprintf("realserver: no step needs a %T", s))
}

// each sets a sysctl of every interface there is, and of all.
func (m *making) each(s Step) error {
	links, err := m.links()
	if err != nil {
		return err
	}
	for _, link := range append([]string{"all"}, links...) {
		one := s.Sysctl
		one.Link = link
		step, err := plan.ReadSysctl(m.host, one.path(), one.Value)
		if errors.Is(err, netcfg.ErrAbsent) { // IPv6 is off there
			continue
		}
		if err != nil {
			return err
		}
		m.add(step, s.Reason)
	}
	return nil
}

func (m *making) links() (names []string, err error) {
	all, err := m.host.Links()
	for _, l := range all {
		names = append(names, l.Name)
	}
	return names, err
}

// effective sets a sysctl where what it comes to is not fine. That of an interface
// to come is as default says.
func (m *making) effective(s Step) error {
	x := s.Sysctl
	step, err := plan.ReadSysctl(m.host, x.path(), x.Value)
	if errors.Is(err, netcfg.ErrAbsent) {
		step = plan.ChangeSysctl{Name: x.path(), After: x.Value, Along: map[string]string{}}
		step.Before, err = m.host.Get(netcfg.Conf("default", x.Name))
	}
	if err != nil {
		return err
	}
	links := []string{x.Link}
	if x.Link == "all" {
		if links, err = m.links(); err != nil {
			return err
		}
		links = slices.DeleteFunc(links, func(l string) bool { return l == "lo" })
	}
	fine := len(links) > 0
	for _, link := range links {
		is, will, err := m.effects(link, x)
		switch {
		case err != nil:
			return err
		case !slices.Contains(x.Fine, will):
			name := netcfg.Dotted(netcfg.Conf(link, x.Name))
			return fmt.Errorf("%s is %d, which counts for more than %s: set it to 0 first", name, will, s)
		}
		fine = fine && slices.Contains(x.Fine, is)
	}
	if fine {
		step.After = step.Before
	}
	m.add(step, s.Reason)
	return nil
}

// effects are what a sysctl comes to for a link, and what it will.
func (m *making) effects(link string, x Sysctl) (is, will int, err error) {
	own, err := m.number(link, x.Name)
	if errors.Is(err, netcfg.ErrAbsent) {
		own, err = m.number("default", x.Name)
	}
	all, allErr := m.number("all", x.Name)
	value, wordErr := strconv.Atoi(x.Value)
	if err := errors.Join(err, allErr, wordErr); err != nil {
		return 0, 0, err
	}
	is = max(all, own)
	if x.Link == "all" {
		return is, max(value, own), nil
	}
	return is, max(all, value), nil
}

func (m *making) number(link, name string) (int, error) {
	text, err := m.host.Get(netcfg.Conf(link, name))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// Back is the way back for one want: plans that undo others, in their order.
type Back struct {
	Plans []plan.Plan
	Stays []string // what is still needed, and for what
}

// Undo finds in the journal what was applied for a want and is in effect. What
// plans for others need stays, and goes with the last of them.
func Undo(store *persist.Store, w Want) (b Back, err error) {
	h, err := plan.ReadHistory(store)
	if err != nil {
		return b, err
	}
	var going []*persist.Entry
	needed := map[string]string{} // row: for what
	for _, e := range h.Entries {
		switch {
		case !ours(e):
		case e.Title == w.String():
			going = append(going, e)
		case e.InForce && len(e.Undone) == 0:
			if err := need(needed, e); err != nil {
				return b, err
			}
		default:
			going = append(going, e) // what was left of it for others
		}
	}
	for _, e := range going {
		p, err := plan.Reverse(e)
		if err != nil {
			return b, err
		}
		if p = b.leave(p, needed); !p.Empty() {
			b.Plans = append(b.Plans, p)
		}
	}
	return b, nil
}

// ours tells the plans that were made here. What is in effect of one shows step by
// step: it is not called in force any more when a part was left for others.
func ours(e *persist.Entry) bool {
	return e.Ended != nil && e.Undoes == "" && strings.HasPrefix(e.Title, "real server")
}

func need(needed map[string]string, e *persist.Entry) error {
	p, err := plan.Of(e)
	for _, i := range p.Items {
		needed[i.Step.Row()] = p.Title
	}
	return err
}

// leave takes out of a plan what others need, and modules, which stay anyway.
func (b *Back) leave(p plan.Plan, needed map[string]string) plan.Plan {
	left := p
	left.Items, left.Takes = nil, nil
	for n, i := range p.Items {
		if _, module := i.Step.(plan.ChangeSetting[netcfg.Module]); module {
			continue
		}
		if who := needed[i.Step.Row()]; who != "" {
			b.Stays = append(b.Stays, fmt.Sprintf("%s stays: %s needs it", i.Step.Row(), who))
			continue
		}
		left.Items, left.Takes = append(left.Items, i), append(left.Takes, p.Takes[n])
	}
	return left
}
