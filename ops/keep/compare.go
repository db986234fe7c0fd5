package keep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/persist/adm"
)

// Comparison is what runs beside what a file has.
type Comparison struct {
	Running ipvs.Rules
	Saved   Saved
	Plan    plan.Plan // from running to saved
	Err     error     // why the file is of no use; the rest of it is unknown then
}

// Compare reads the table and the file. The error is the table's.
func Compare(ctx context.Context, t ipvs.Table, path string) (*Comparison, error) {
	rules, err := persist.ReadRules(ctx, t)
	if err != nil {
		return nil, err
	}
	c := &Comparison{Running: rules}
	if c.Saved, c.Err = Open(path); c.Err == nil {
		c.Plan = c.Saved.Plan(rules, false)
	}
	return c, nil
}

// NoFile tells that nothing was ever saved.
func (c *Comparison) NoFile() bool { return errors.Is(c.Err, os.ErrNotExist) }

// Equal tells that the file has what runs.
func (c *Comparison) Equal() bool { return c.Err == nil && c.Plan.Empty() }

// Unsaved tells that what runs would be lost with the host. A table that another
// program manages comes back with that program, unless somebody saves it here too.
func (c *Comparison) Unsaved(managed bool) bool {
	return !c.Equal() && (!c.NoFile() || !managed && len(c.Running.Services) > 0)
}

// Plan makes what runs be what was saved, and with merge removes nothing.
//
// Rows that the file could not tell apart stay as they run. A file that sets no
// timeouts comes from "ipvsadm -S", which does not write sync daemons either:
// those that run go on.
func (s Saved) Plan(running ipvs.Rules, merge bool) plan.Plan {
	wanted := alike(running, s.Rules)
	if wanted.Timeouts == nil && len(wanted.Daemons) == 0 {
		wanted.Daemons = running.Daemons
	}
	p := plan.Restore(running, wanted, merge)
	p.Title = "restore " + s.Name
	if len(s.Odd) > 0 {
		p.Note = "odd, and taken as it is:\n" + s.Odd.Error()
	}
	return p
}

// Against reads what runs and makes the plan.
func (s Saved) Against(ctx context.Context, t ipvs.Table, merge bool) (plan.Plan, error) {
	rules, err := persist.ReadRules(ctx, t)
	if err != nil {
		return plan.Plan{}, err
	}
	return s.Plan(rules, merge), nil
}

// Restoring is Against for a plan that is going to be run. Rules without a single
// line do not clear a table: most often they come from a program that failed.
func (s Saved) Restoring(ctx context.Context, t ipvs.Table, merge bool) (plan.Plan, error) {
	p, err := s.Against(ctx, t, merge)
	if r := s.Rules; err == nil && p.Counts().Remove > 0 && len(r.Services)+len(r.Daemons) == 0 && r.Timeouts == nil {
		return plan.Plan{}, fmt.Errorf("%s has no rule in it; running: %s. To clear the table, do so by name: lvsdeck ipvsadm -C", s.Name, count(p.Counts().Remove, "row"))
	}
	return p, err
}

// alike gives wanted rows, where a file has the same words for both, the
// settings with which they run: the timeout of a persistence that is off has no
// meaning and is not written.
func alike(running, wanted ipvs.Rules) ipvs.Rules {
	runs := make(map[ipvs.ServiceID]*ipvs.ServiceRules, len(running.Services))
	for i := range running.Services {
		runs[running.Services[i].ServiceID] = &running.Services[i]
	}
	var f adm.Format
	wanted.Services = slices.Clone(wanted.Services)
	for i := range wanted.Services {
		want := &wanted.Services[i]
		now := runs[want.ServiceID]
		if now == nil {
			continue
		}
		if now.Service != want.Service && f.Service(now.Service) == f.Service(want.Service) {
			want.Service = now.Service
		}
		want.Servers = alikeServers(f, want.ServiceID, now.Servers, want.Servers)
	}
	return wanted
}

func alikeServers(f adm.Format, id ipvs.ServiceID, running, wanted []ipvs.Server) []ipvs.Server {
	if slices.Equal(running, wanted) {
		return wanted
	}
	wanted = slices.Clone(wanted)
	for i := range wanted {
		n := slices.IndexFunc(running, func(s ipvs.Server) bool { return s.Addr == wanted[i].Addr })
		if n >= 0 && running[n] != wanted[i] && f.Server(id, running[n]) == f.Server(id, wanted[i]) {
			wanted[i] = running[n]
		}
	}
	return wanted
}

// Change is one line of a difference.
type Change struct {
	Sign string // + ~ -
	Text string
}

// Changes tells a plan, a line a step.
func Changes(p plan.Plan) []Change {
	all := make([]Change, len(p.Items))
	for i, item := range p.Items {
		all[i] = Change{"~", item.Step.String()}
		switch c := item.Step.Counts(); {
		case c.Change > 0:
		case c.Remove == 0:
			all[i].Sign = "+"
		case c.Add == 0:
			all[i].Sign = "-"
		}
	}
	return all
}

// Diff writes what a restore would do and tells whether it is anything.
func Diff(ctx context.Context, t ipvs.Table, s Saved, w io.Writer) (differs bool, err error) {
	p, err := s.Against(ctx, t, false)
	if err != nil {
		return false, err
	}
	for _, c := range Changes(p) {
		if _, err := fmt.Fprintln(w, c.Sign, c.Text); err != nil {
			return false, err
		}
	}
	return !p.Empty(), nil
}
