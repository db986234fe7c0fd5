package plan

import (
	"context"
	"errors"
	"slices"

	"lvsdeck/ipvs"
)

// ChangeService adds (no Before), removes (no After) or edits a virtual service.
// A service goes and comes back with its Servers; an edit leaves them alone.
type ChangeService struct {
	Before  *ipvs.Service `json:",omitempty"`
	After   *ipvs.Service `json:",omitempty"`
	Servers []ipvs.Server `json:",omitempty"`
}

func (s ChangeService) id() ipvs.ServiceID {
	if s.After == nil {
		return s.Before.ServiceID
	}
	return s.After.ServiceID
}

// Row names the service.
func (s ChangeService) Row() string { return s.id().String() }

// String names its servers by their number.
func (s ChangeService) String() string {
	with := ""
	if len(s.Servers) > 0 {
		with = " with " + count(len(s.Servers), "server")
	}
	switch {
	case s.Before == nil:
		return "add " + s.Row() + with + ": " + serviceText(*s.After)
	case s.After == nil:
		return "remove " + s.Row() + with
	}
	return "edit " + s.Row() + ": " + serviceFields(*s.Before, *s.After).text()
}

// Command is ipvsadm -A with a line for each server, -D or -E.
func (s ChangeService) Command() string {
	switch {
	case s.Before == nil:
		return addServices(ipvs.ServiceRules{Service: *s.After, Servers: s.Servers})
	case s.After == nil:
		return ipvsadm("-D", serviceWords(s.id()))
	}
	return editService(*s.After)
}

// Counts is the service and the servers that go or come with it.
func (s ChangeService) Counts() Counts {
	switch {
	case s.Before == nil:
		return Counts{Add: 1 + len(s.Servers)}
	case s.After == nil:
		return Counts{Remove: 1 + len(s.Servers)}
	}
	return Counts{Change: 1}
}

// Undo swaps before and after.
func (s ChangeService) Undo() Step { return ChangeService{s.After, s.Before, s.Servers} }

// Done compares the service with After. Those of its servers that come with a
// new service must be there; others are other steps' concern.
func (s ChangeService) Done(ctx context.Context, t Target) (bool, error) {
	now, servers, err := s.find(ctx, t)
	if err != nil || !same(now, s.After) {
		return false, err
	}
	return now == nil || s.Before != nil || within(s.Servers, servers), nil
}

// Do makes one call, but for servers that come with a new service. When the
// kernel refuses one of those, what was added goes again.
func (s ChangeService) Do(ctx context.Context, t Target) error {
	if s.Before == nil {
		var a adding
		return a.end(ctx, t, a.add(ctx, t, ipvs.ServiceRules{Service: *s.After, Servers: s.Servers}))
	}
	now, servers, err := s.find(ctx, t)
	if err != nil {
		return err
	}
	if same(now, s.After) {
		return ErrAlready
	}
	if !same(now, s.Before) || s.After == nil && !sameServers(servers, s.Servers) && !(t.Resumed && within(servers, s.Servers)) {
		return s.moved(now, servers)
	}
	if s.After == nil {
		return t.Table.DeleteService(ctx, s.id())
	}
	return t.Table.SetService(ctx, *s.After)
}

// change leaves to Do what concerns servers, too.
func (s ChangeService) change(ctx context.Context, t Target) (ipvs.Change, bool) {
	if s.Before == nil {
		return ipvs.Change{Op: ipvs.OpAddService, Service: *s.After}, len(s.Servers) == 0
	}
	if s.After == nil {
		return ipvs.Change{}, false
	}
	now, _, err := s.find(ctx, t)
	return ipvs.Change{Op: ipvs.OpSetService, Service: *s.After}, err == nil && same(now, s.Before) && !same(now, s.After)
}

// find reads the service, nil when it is not there, and its servers unless this
// is an edit.
func (s ChangeService) find(ctx context.Context, t Target) (*ipvs.Service, []ipvs.Server, error) {
	state, err := t.Table.Service(ctx, s.id())
	if errors.Is(err, ipvs.ErrNoService) {
		return nil, nil, nil
	}
	if err != nil || s.Before != nil && s.After != nil {
		return &state.Service, nil, err
	}
	states, err := t.Table.Servers(ctx, s.id())
	servers := make([]ipvs.Server, len(states))
	for i := range states {
		servers[i] = states[i].Server
	}
	return &state.Service, servers, err
}

func (s ChangeService) moved(now *ipvs.Service, servers []ipvs.Server) error {
	m := &Moved{Row: s.Row(), Gone: now == nil, Appeared: s.Before == nil}
	if now != nil && s.Before != nil {
		m.Differences = append(serviceFields(*s.Before, *now), rowFields(s.Servers, servers)...)
	}
	return m
}

// rowFields lists in what two sets of servers differ, by address.
func rowFields(was, is []ipvs.Server) (f fields) {
	then := map[string]ipvs.Server{}
	for _, s := range was {
		then[s.Addr.String()] = s
	}
	for _, s := range is {
		old, known := then[s.Addr.String()]
		delete(then, s.Addr.String())
		switch {
		case !known:
			f = append(f, Difference{s.Addr.String(), "", there})
		case old != s:
			for _, d := range serverFields(old, s) {
				f = append(f, Difference{s.Addr.String() + " " + d.Field, d.Was, d.Is})
			}
		}
	}
	for _, s := range was {
		if _, gone := then[s.Addr.String()]; gone {
			f = append(f, Difference{s.Addr.String(), there, ""})
		}
	}
	return f
}

// within tells whether all of a set of servers are in another.
func within(some, all []ipvs.Server) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}

func sameServers(a, b []ipvs.Server) bool { return len(a) == len(b) && within(a, b) }
