package plan

import (
	"fmt"
	"testing"

	"lvsdeck/ipvs"
)

// TestMeant changes the weight of one server in many ways, and asks after each
// what it is meant to weigh.
func TestMeant(t *testing.T) {
	type change struct {
		do   string
		to   uint32
		want uint32 // 0: not known, or what it weighs
	}
	for name, changes := range map[string][]change{
		"drained and back":         {{"drain", 0, 100}, {"weigh", 100, 0}},
		"undone and redone":        {{"drain", 0, 100}, {"undo", 0, 0}, {"redo", 0, 100}},
		"drained twice":            {{"drain", 0, 100}, {"drain", 0, 100}},
		"other settings":           {{"drain", 0, 100}, {"edit", 7, 100}, {"weigh", 100, 0}},
		"another weight":           {{"drain", 0, 100}, {"weigh", 30, 0}, {"drain", 0, 30}},
		"others meanwhile":         {{"drain", 0, 100}, {"others", 50, 0}, {"drain", 0, 50}},
		"drained by others":        {{"others", 0, 0}},
		"removed":                  {{"drain", 0, 100}, {"remove", 0, 0}, {"undo", 0, 0}},
		"removed with its service": {{"drain", 0, 100}, {"remove service", 0, 0}, {"undo", 0, 0}},
		"cleared":                  {{"drain", 0, 100}, {"clear", 0, 0}, {"undo", 0, 0}},
		"ramp":                     {{"drain", 0, 100}, {"ramp", 50, 100}, {"ramp", 100, 0}},
		"ramp to another weight":   {{"drain", 0, 100}, {"ramp", 50, 80}, {"ramp", 80, 0}},
		"ramp from nowhere":        {{"others", 0, 0}, {"ramp", 50, 100}},
		"drained on the way":       {{"drain", 0, 100}, {"ramp", 50, 100}, {"drain", 0, 100}, {"undo", 0, 100}},
		"set by hand on the way":   {{"drain", 0, 100}, {"ramp", 50, 100}, {"weigh", 60, 0}},
		"by others on the way":     {{"drain", 0, 100}, {"ramp", 50, 100}, {"others", 60, 0}},
		"drained so by others":     {{"drain", 0, 100}, {"ramp", 50, 100}, {"others", 0, 100}, {"drain", 0, 100}},
		"back on the way":          {{"drain", 0, 100}, {"ramp", 50, 100}, {"undo", 0, 100}},
	} {
		b, before := site(t)
		last := ""
		for _, c := range changes {
			last = b.weigh(c.do, c.to, max(c.want, c.to), last)
			row := rows(before)[0]
			if now, err := ReadRow(ctx, b.table, web, row.Server); err == nil {
				row = now
			}
			meant, err := Meant(b.Store)
			b.ok(err)
			equal(t, fmt.Sprintf("%s, after %s %d: meant is", name, c.do, c.to), c.want, meant(row))
		}
		all, err := b.Store.Weights().Get()
		b.ok(err)
		if end := changes[len(changes)-1]; end.want == 0 && end.do != "others" && len(all) > 0 {
			t.Errorf("%s: remembered for ever: %v", name, all)
		}
	}
}

// weigh does something to the first server, and gives the plan that did it.
func (b *bench) weigh(do string, to, toward uint32, last string) string {
	b.Helper()
	if do == "undo" || do == "redo" {
		r, err := b.Undo(ctx, last, nil)
		b.ok(err)
		return r.ID
	}
	now := b.rules()
	one := rows(now)[:1]
	p := SetWeight(one, to)
	switch do {
	case "others":
		one[0].Server.Weight = to
		b.ok(b.table.SetServer(ctx, web, one[0].Server))
		return last
	case "edit":
		after := one[0].Server
		after.Upper = to
		var err error
		p, err = EditServer(one[0], after)
		b.ok(err)
	case "remove":
		p = RemoveServers(one)
	case "remove service":
		p = RemoveServices(now.Services)
	case "clear":
		p = Flush(now)
	case "ramp":
		p.Toward = toward
	}
	if p.Empty() {
		return last
	}
	return b.run(p).ID
}

// TestAddedServersAreNotRemembered: an address that comes again is another server.
func TestAddedServersAreNotRemembered(t *testing.T) {
	b, before := site(t)
	one := rows(before)[:1]
	b.run(Drain(one))
	one[0].Server.Weight = 0
	b.ok(b.table.DeleteServer(ctx, web, one[0].Server)) // by somebody else
	b.run(AddServers(one))
	meant, err := Meant(b.Store)
	b.ok(err)
	equal(t, "the weight of a new server", uint32(0), meant(Row{web, ipvs.Server{Addr: one[0].Server.Addr}}))
}
