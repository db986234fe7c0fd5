package keep

import (
	"context"
	"fmt"
	"io"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
)

// DryRun writes what a restore would do, in words and as commands, and does
// nothing.
func DryRun(ctx context.Context, t ipvs.Table, s Saved, merge bool, w io.Writer) error {
	p, err := planned(ctx, t, s, merge, w)
	if err != nil || p.Empty() {
		return err
	}
	var b strings.Builder
	for i, c := range Changes(p) {
		fmt.Fprintln(&b, c.Sign, c.Text)
		for line := range strings.Lines(p.Items[i].Step.Command()) {
			fmt.Fprintf(&b, "    %s\n", strings.TrimSpace(line))
		}
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// Restore makes what runs be what was saved, and writes how it went.
func Restore(ctx context.Context, r *plan.Runner, s Saved, merge bool, w io.Writer) error {
	p, err := planned(ctx, r.Target.Table, s, merge, w)
	if err != nil || p.Empty() {
		return err
	}
	result, err := r.Run(ctx, p, nil)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, leftAs(result))
	}
	c := p.Counts()
	if _, err := fmt.Fprintf(w, "restored %s: %d added, %d changed, %d removed\n", s.Name, c.Add, c.Change, c.Remove); err != nil {
		return err
	}
	return result.Warning
}

// planned makes the plan and says so when there is nothing to do, or when what is
// to be done is odd.
func planned(ctx context.Context, t ipvs.Table, s Saved, merge bool, w io.Writer) (plan.Plan, error) {
	p, err := s.Restoring(ctx, t, merge)
	switch {
	case err != nil:
	case p.Empty():
		_, err = fmt.Fprintf(w, "nothing to do: the table is as in %s\n", s.Name)
	case p.Note != "":
		_, err = fmt.Fprintln(w, p.Note)
	}
	return p, err
}

// leftAs is how a restore that failed has left the table.
func leftAs(r plan.Result) string {
	switch r.Outcome {
	case plan.NotBegun:
		return "nothing was changed"
	case plan.WentBack:
		return "all of it was taken back: the table is as it was before"
	}
	text := "not all of it could be taken back:"
	for i, s := range r.Steps {
		if s.State == plan.NotTakenBack {
			text += fmt.Sprintf("\n%s: %v", r.Plan.Items[i].Step, s.Err)
		}
	}
	return text
}
