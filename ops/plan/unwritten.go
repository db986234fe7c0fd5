package plan

import "context"

// Each does the steps of a plan, each on its own and without a journal: for what
// was decided before and is only brought about again, as when a host boots. It
// takes no lock, keeps no snapshot and takes nothing back. A Result of it has no ID.
func Each(ctx context.Context, t Target, p Plan) Result {
	p.Each = true
	x := newRun(Runner{Target: t}, p, nil)
	x.upTo = len(x.Steps)
	for i := 0; i < len(x.Steps) && ctx.Err() == nil; {
		i, _ = x.advance(ctx, i) // why is in the steps
	}
	x.Outcome = Applied
	if len(x.in(Failed))+len(x.in(ToDo)) > 0 {
		x.Outcome = Partly
	}
	return x.Result
}
