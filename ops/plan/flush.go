package plan

import (
	"context"
	"errors"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/persist"
)

// FlushTable removes every service, or brings them back. It carries them all.
type FlushTable struct {
	Services []ipvs.ServiceRules
	Back     bool `json:",omitempty"`
}

func (s FlushTable) servers() (n int) {
	for _, svc := range s.Services {
		n += len(svc.Servers)
	}
	return n
}

// Row is the table.
func (s FlushTable) Row() string { return "the table" }

// String says how much.
func (s FlushTable) String() string {
	all := count(len(s.Services), "service") + " with " + count(s.servers(), "server")
	if s.Back {
		return "bring back the whole table: " + all
	}
	return "clear the whole table: " + all
}

// Command is ipvsadm -C, or a line for each row.
func (s FlushTable) Command() string {
	if s.Back {
		return addServices(s.Services...)
	}
	return "ipvsadm -C"
}

// Counts is all rows.
func (s FlushTable) Counts() Counts {
	rows := len(s.Services) + s.servers()
	if s.Back {
		return Counts{Add: rows}
	}
	return Counts{Remove: rows}
}

// Undo is the other way.
func (s FlushTable) Undo() Step { return FlushTable{s.Services, !s.Back} }

// Done is an empty table, or all of it there.
func (s FlushTable) Done(ctx context.Context, t Target) (bool, error) {
	if !s.Back {
		view, err := t.Table.Overview(ctx)
		return err == nil && len(view.Services) == 0, err
	}
	for _, svc := range s.Services {
		if done, err := newService(svc).Done(ctx, t); !done || err != nil {
			return false, err
		}
	}
	return true, nil
}

// Do flushes with one call. Bringing back takes many; when the kernel refuses
// one, what came back goes again.
func (s FlushTable) Do(ctx context.Context, t Target) error {
	if !s.Back {
		return s.flush(ctx, t)
	}
	var a adding
	already := true
	for _, svc := range s.Services {
		err := a.add(ctx, t, svc)
		if errors.Is(err, ErrAlready) {
			continue
		}
		already = false
		if err != nil {
			return a.end(ctx, t, err)
		}
	}
	if already {
		return ErrAlready
	}
	return nil
}

func (s FlushTable) flush(ctx context.Context, t Target) error {
	now, err := persist.ReadRules(ctx, t.Table)
	if err != nil {
		return err
	}
	if len(now.Services) == 0 {
		return ErrAlready
	}
	if f := tableFields(s.Services, now.Services); len(f) > 0 && !(t.Resumed && partOf(now.Services, s.Services)) {
		return &Moved{Row: s.Row(), Differences: f}
	}
	return t.Table.Flush(ctx)
}

// partOf tells whether all of some services are in others, each with no other
// servers.
func partOf(some, all []ipvs.ServiceRules) bool {
	whole := map[ipvs.ServiceID]ipvs.ServiceRules{}
	for _, s := range all {
		whole[s.ServiceID] = s
	}
	for _, s := range some {
		if w, known := whole[s.ServiceID]; !known || w.Service != s.Service || !within(s.Servers, w.Servers) {
			return false
		}
	}
	return true
}

// tableFields lists in what two tables differ, row by row.
func tableFields(was, is []ipvs.ServiceRules) (f fields) {
	then := map[ipvs.ServiceID]ipvs.ServiceRules{}
	for _, s := range was {
		then[s.ServiceID] = s
	}
	for _, s := range is {
		old, known := then[s.ServiceID]
		delete(then, s.ServiceID)
		if !known {
			f = append(f, Difference{s.ServiceID.String(), "", there})
			continue
		}
		for _, d := range slices.Concat(serviceFields(old.Service, s.Service), rowFields(old.Servers, s.Servers)) {
			f = append(f, Difference{d.Field + " of " + s.ServiceID.String(), d.Was, d.Is})
		}
	}
	for _, s := range was {
		if _, gone := then[s.ServiceID]; gone {
			f = append(f, Difference{s.ServiceID.String(), there, ""})
		}
	}
	return f
}
