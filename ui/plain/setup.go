package plain

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
	"lvsdeck/ops/setup"
	"lvsdeck/ui/text"
)

// Host is one host's part of a set-up.
type Host struct {
	Name  string // "" is this director
	How   string // the command that does it all there, where there is one
	Steps []Step
}

// Step is a step of a host.
type Step struct {
	Text, Reason, Command string

	Result *plan.StepResult // how it stands; nil: that is not known here
}

// StepsOf are a plan's steps, and how each stands.
func StepsOf(items []plan.Item, results []plan.StepResult) []Step {
	all := make([]Step, len(items))
	for i, item := range items {
		all[i] = Step{item.Step.String(), item.Reason, item.Step.Command(), nil}
		if results != nil {
			all[i].Result = &results[i]
		}
	}
	return all
}

// Change is a set-up, or the way back from one, to be shown.
type Change struct {
	Title    string
	Warnings []string
	Hosts    []Host
}

// WriteChange writes steps by host: how each stands, what it does and why, and its
// command to paste.
func WriteChange(w io.Writer, c Change) error {
	var b strings.Builder
	fmt.Fprintln(&b, text.Clean(c.Title))
	for _, warning := range c.Warnings {
		fmt.Fprintf(&b, "! %s\n", text.Clean(warning))
	}
	for _, h := range c.Hosts {
		fmt.Fprintf(&b, "\n%s: %s\n", h.name(), h.count())
		if h.How != "" {
			fmt.Fprintf(&b, "   there: %s\n", text.Clean(h.How))
		}
		for i, s := range h.Steps {
			s.write(&b, i+1)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (h Host) name() string {
	if h.Name == "" {
		return "this director"
	}
	return "server " + text.Clean(h.Name)
}

// count is "9 steps: 7 to do, 2 already so".
func (h Host) count() string {
	words := fmt.Sprintf("%d steps", len(h.Steps))
	if len(h.Steps) == 1 {
		words = "1 step"
	}
	n := map[plan.State]int{}
	for _, s := range h.Steps {
		if s.Result != nil {
			n[s.Result.State]++
		}
	}
	var states []string
	for _, state := range slices.Sorted(maps.Keys(n)) {
		states = append(states, fmt.Sprintf("%d %s", n[state], state))
	}
	if len(states) > 0 {
		words += ": " + strings.Join(states, ", ")
	}
	return words
}

func (s Step) write(b *strings.Builder, n int) {
	state := ""
	if s.Result != nil {
		state = s.Result.State.String() + ": "
	}
	fmt.Fprintf(b, "%d  %s%s\n   # %s\n", n, state, text.Clean(s.Text), text.Clean(s.Reason))
	for command := range strings.Lines(s.Command) {
		fmt.Fprintf(b, "   %s\n", text.Clean(strings.TrimSpace(command)))
	}
	if s.Result != nil && s.Result.Err != nil {
		fmt.Fprintf(b, "   ! %s\n", text.Clean(s.Result.Err.Error()))
	}
}

// Proof writes a line for the VIP and for each server, unless all is well how that
// is known, and how many servers are not proven.
func Proof(w io.Writer, vip netip.Addr, p setup.Proof) error {
	var b strings.Builder
	finding(&b, vip.String(), p.VIP)
	for _, r := range p.Servers {
		finding(&b, r.Server.Addr.String(), r.Finding)
	}
	if n := len(p.Unproven()); n > 0 {
		fmt.Fprintf(&b, "not proven: %d of %d servers\n", n, len(p.Servers))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func finding(b *strings.Builder, of string, f probe.Finding) {
	fmt.Fprintf(b, "%s: %s: %s\n", of, f.Verdict, text.Clean(f.Short))
	if f.Verdict == probe.Fine {
		return
	}
	for _, line := range f.Evidence {
		fmt.Fprintf(b, "   %s\n", text.Clean(line))
	}
	for _, line := range f.Next {
		fmt.Fprintf(b, "   there: %s\n", text.Clean(line))
	}
}

// The JSON form of a set-up, or of the way back from one.
type (
	jsonChange struct {
		Title    string        `json:"title"`
		Services []string      `json:"services"`
		Warnings []string      `json:"warnings"`
		Hosts    []jsonHost    `json:"hosts"`
		Outcome  string        `json:"outcome"` // "not begun" when it was only shown
		Plan     string        `json:"plan,omitempty"`
		Error    string        `json:"error,omitempty"`
		Refusals []jsonRefusal `json:"refusals,omitempty"`
		Confirm  float64       `json:"confirm_within_seconds,omitempty"`
		VIP      *jsonFinding  `json:"vip,omitempty"`
		Servers  []jsonProof   `json:"probes,omitempty"`
	}
	jsonHost struct {
		Name  string     `json:"host,omitempty"` // none: this director
		How   string     `json:"command,omitempty"`
		Steps []jsonStep `json:"steps"`
	}
	jsonRefusal struct {
		Field string `json:"field"`
		Value string `json:"value,omitempty"`
		Rule  string `json:"rule"`
		Do    string `json:"do,omitempty"`
	}
	jsonProof struct {
		Server string `json:"server"`
		jsonFinding
	}
	jsonFinding struct {
		Verdict  string   `json:"verdict"`
		Cause    string   `json:"cause"`
		Text     string   `json:"text"`
		Evidence []string `json:"evidence,omitempty"`
		Next     []string `json:"next,omitempty"`
	}
)

// Report is what came of a set-up or of the way back from one, for programs.
type Report struct {
	Change
	Services []ipvs.ServiceID
	Result   plan.Result // NotBegun when it was only shown
	Err      error       // why not, Refusals with their fields
	Confirm  time.Duration
	Proof    *setup.Proof // nil: nobody was asked
}

// WriteReport writes it as JSON.
func WriteReport(w io.Writer, r Report) error {
	j := jsonChange{
		Title: r.Title, Services: []string{}, Warnings: append([]string{}, r.Warnings...), Hosts: []jsonHost{},
		Outcome: string(r.Result.Outcome), Plan: r.Result.ID, Confirm: r.Confirm.Seconds(),
	}
	for _, id := range r.Services {
		j.Services = append(j.Services, id.String())
	}
	for _, h := range r.Hosts {
		j.Hosts = append(j.Hosts, jsonHost{h.Name, h.How, jsonSteps(h.Steps)})
	}
	if r.Err != nil {
		j.Error = r.Err.Error()
	}
	refused, _ := setup.Refused(r.Err)
	for _, one := range refused {
		j.Refusals = append(j.Refusals, jsonRefusal{string(one.Field), one.Value, one.Rule, one.Do})
	}
	if r.Proof != nil {
		vip := jsonFindingOf(r.Proof.VIP)
		j.VIP = &vip
		for _, p := range r.Proof.Servers {
			j.Servers = append(j.Servers, jsonProof{p.Server.Addr.String(), jsonFindingOf(p.Finding)})
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}

func jsonFindingOf(f probe.Finding) jsonFinding {
	return jsonFinding{f.Verdict.String(), string(f.Cause), f.Short, f.Evidence, f.Next}
}
