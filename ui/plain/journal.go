package plain

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/ui/text"
)

// Journal writes every plan, newest first, in a format that CheckFormat accepts.
func Journal(w io.Writer, h plan.History, format string) error {
	if format == "json" {
		return journalJSON(w, h)
	}
	if len(h.Entries) == 0 {
		_, err := fmt.Fprintln(w, "nothing was changed yet")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "BEGUN\tUSER\tFROM\tSTANDS AT\tID\tCHANGE")
	for _, e := range h.Entries {
		cells := []string{
			e.Time.Local().Format(time.DateTime), oneWord(e.By.User), oneWord(e.By.From),
			oneWord(h.Standing(e)), oneWord(e.ID), text.Clean(e.Title),
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	return tw.Flush()
}

// oneWord makes a cell that awk takes for one.
func oneWord(s string) string {
	return dash(strings.Join(strings.Fields(text.Clean(s)), "-"))
}

// The JSON form of the journal.
type (
	jsonPlan struct {
		ID      string     `json:"id"`
		Begun   time.Time  `json:"begun"`
		Ended   *time.Time `json:"ended,omitempty"`
		User    string     `json:"user,omitempty"`
		From    string     `json:"from,omitempty"`
		Title   string     `json:"title"`
		Stands  string     `json:"stands"`
		Undoes  string     `json:"undoes,omitempty"`
		Steps   []jsonStep `json:"steps"`
		Problem string     `json:"problem,omitempty"` // why the steps cannot be read
	}
	jsonStep struct {
		Text    string `json:"text"`
		Command string `json:"command,omitempty"`
		Reason  string `json:"reason"`
		State   string `json:"state,omitempty"`
		Error   string `json:"error,omitempty"`
	}
)

func journalJSON(w io.Writer, h plan.History) error {
	plans := make([]jsonPlan, len(h.Entries))
	for i, e := range h.Entries {
		plans[i] = jsonPlanOf(h, e)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(plans)
}

func jsonPlanOf(h plan.History, e *persist.Entry) jsonPlan {
	j := jsonPlan{
		ID: e.ID, Begun: e.Time, User: e.By.User, From: e.By.From, Title: e.Title, Stands: h.Standing(e), Undoes: e.Undoes,
		Steps: []jsonStep{},
	}
	if e.Ended != nil {
		j.Ended = &e.Ended.Time
	}
	p, err := plan.Of(e)
	if err != nil {
		j.Problem = err.Error()
		return j
	}
	j.Steps = jsonSteps(StepsOf(p.Items, plan.Told(e, p)))
	return j
}

// jsonSteps are steps with their results, where those are known.
func jsonSteps(steps []Step) []jsonStep {
	all := []jsonStep{}
	for _, s := range steps {
		j := jsonStep{Text: s.Text, Command: s.Command, Reason: s.Reason}
		if s.Result != nil {
			j.State = s.Result.State.String()
			if s.Result.Err != nil {
				j.Error = s.Result.Err.Error()
			}
		}
		all = append(all, j)
	}
	return all
}

// Plan writes a plan step by step, in words and as commands, and how each stands.
func Plan(w io.Writer, p plan.Plan, steps []plan.StepResult) error {
	var b strings.Builder
	fmt.Fprintln(&b, text.Clean(p.Title))
	for i, item := range p.Items {
		fmt.Fprintf(&b, "%d  %s: %s\n", i+1, steps[i].State, text.Clean(item.Step.String()))
		for command := range strings.Lines(item.Step.Command()) {
			fmt.Fprintf(&b, "   %s\n", text.Clean(strings.TrimSpace(command)))
		}
		if steps[i].Err != nil {
			fmt.Fprintf(&b, "   %s\n", text.Clean(steps[i].Err.Error()))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
