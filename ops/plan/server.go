package plan

import (
	"context"
	"errors"

	"lvsdeck/ipvs"
	"lvsdeck/persist/adm"
)

// ChangeServer adds (no Before), removes (no After) or edits a real server.
type ChangeServer struct {
	Service ipvs.ServiceID
	Before  *ipvs.Server `json:",omitempty"`
	After   *ipvs.Server `json:",omitempty"`
}

// Row names the server.
func (s ChangeServer) Row() string {
	one := s.After
	if one == nil {
		one = s.Before
	}
	return ipvs.ServerTarget(s.Service, *one)
}

// String has words of its own for draining and weights: they are what operators
// do most.
func (s ChangeServer) String() string {
	switch {
	case s.Before == nil:
		return "add " + s.Row() + ": " + serverText(*s.After)
	case s.After == nil:
		return "remove " + s.Row()
	}
	changes, verb := serverFields(*s.Before, *s.After), "edit "
	if weightOnly(*s.Before, *s.After) {
		verb = "weigh "
		switch {
		case s.After.Weight == 0:
			verb = "drain "
		case s.Before.Weight == 0:
			verb = "undrain "
		}
	}
	return verb + s.Row() + ": " + changes.text()
}

func weightOnly(a, b ipvs.Server) bool {
	a.Weight = b.Weight
	return a == b
}

// Command is ipvsadm -a, -d or -e.
func (s ChangeServer) Command() string {
	switch {
	case s.Before == nil:
		return ipvsadm(lines.Server(s.Service, *s.After))
	case s.After == nil:
		return ipvsadm("-d", serviceWords(s.Service), "-r", adm.Endpoint(s.Before.Addr))
	}
	return editServer(s.Service, *s.After)
}

// Counts is one row.
func (s ChangeServer) Counts() Counts { return countOne(s.Before == nil, s.After == nil) }

func countOne(add, remove bool) Counts {
	switch {
	case add:
		return Counts{Add: 1}
	case remove:
		return Counts{Remove: 1}
	}
	return Counts{Change: 1}
}

// Undo swaps before and after.
func (s ChangeServer) Undo() Step { return ChangeServer{s.Service, s.After, s.Before} }

// Done compares the server with After.
func (s ChangeServer) Done(ctx context.Context, t Target) (bool, error) {
	now, err := s.find(ctx, t)
	return err == nil && same(now, s.After), err
}

// Do makes one call, after a look at the row. A new server needs no look: the
// kernel itself refuses one that is there, and a restore adds thousands.
func (s ChangeServer) Do(ctx context.Context, t Target) error {
	if s.Before == nil {
		err := s.call().On(ctx, t.Table)
		if !errors.Is(err, ipvs.ErrServerExists) {
			return err
		}
	}
	now, err := s.find(ctx, t)
	if err != nil {
		return err
	}
	if same(now, s.After) {
		return ErrAlready
	}
	if !same(now, s.Before) {
		return s.moved(now)
	}
	return s.call().On(ctx, t.Table) // also if it went between the kernel's refusal and our look
}

func (s ChangeServer) change(ctx context.Context, t Target) (ipvs.Change, bool) {
	if s.Before != nil {
		now, err := s.find(ctx, t)
		if err != nil || !same(now, s.Before) || same(now, s.After) {
			return ipvs.Change{}, false
		}
	}
	return s.call(), true
}

func (s ChangeServer) call() ipvs.Change {
	switch {
	case s.Before == nil:
		return ipvs.ChangeServer(ipvs.OpAddServer, s.Service, *s.After)
	case s.After == nil:
		return ipvs.ChangeServer(ipvs.OpDeleteServer, s.Service, *s.Before)
	}
	return ipvs.ChangeServer(ipvs.OpSetServer, s.Service, *s.After)
}

func (s ChangeServer) moved(now *ipvs.Server) error {
	m := &Moved{Row: s.Row(), Gone: now == nil, Appeared: s.Before == nil}
	if now != nil && s.Before != nil {
		m.Differences = serverFields(*s.Before, *now)
	}
	return m
}

// find reads the server, nil when it or its service is not there. While others
// change a long list, the kernel may leave one out: see persist.ReadRules.
func (s ChangeServer) find(ctx context.Context, t Target) (*ipvs.Server, error) {
	one := s.After
	if one == nil {
		one = s.Before
	}
	for range 3 {
		states, err := t.Table.Servers(ctx, s.Service)
		if err != nil {
			return nil, err
		}
		for i := range states {
			if states[i].Addr == one.Addr {
				return &states[i].Server, nil
			}
		}
		if len(states) <= longList {
			break
		}
	}
	return nil, nil
}

// longList is how many servers the kernel always tells in one piece.
const longList = 16

// same compares what may not be there.
func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
