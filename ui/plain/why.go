package plain

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"lvsdeck/ops/why"
	"lvsdeck/ui/text"
)

// WriteWhy writes the answers about a service and what they come to, in a format
// that CheckFormat accepts.
func WriteWhy(w io.Writer, v why.Verdict, format string) error {
	if format == "json" {
		return writeWhyJSON(w, v)
	}
	var b strings.Builder
	for _, a := range v.Answers {
		fmt.Fprintf(&b, "%-9s  %-10s  %s\n", a.Mark, a.Topic, text.Clean(a.Says))
		for _, e := range a.Evidence {
			fmt.Fprintf(&b, "   %s\n", text.Clean(e))
		}
	}
	b.WriteString("\n" + v.Sum() + "\n")
	for _, f := range v.Findings {
		service, server := aboutText(f)
		fmt.Fprintf(&b, "%s  %s  %s  %s\n", f.Severity, dash(service), dash(server), text.Clean(f.Short))
		details(&b, f)
	}
	if v.Relief != nil {
		fmt.Fprintf(&b, "relief  until it is mended: %s\n", text.Clean(v.Relief.Title))
		indented(&b, v.Relief.Commands())
	}
	for _, n := range v.Next {
		fmt.Fprintf(&b, "next  %s\n", text.Clean(n))
	}
	for _, c := range v.Captures {
		fmt.Fprintf(&b, "capture on %s  %s\n", text.Clean(c.Where), text.Clean(c.Expect))
		indented(&b, c.String())
	}
	for _, u := range v.Unread {
		fmt.Fprintf(&b, "! not looked at: %s\n", text.Clean(u))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func indented(b *strings.Builder, commands string) {
	for command := range strings.Lines(commands) {
		fmt.Fprintf(b, "   %s\n", text.Clean(strings.TrimSpace(command)))
	}
}

// The JSON form of answers.
type (
	jsonWhy struct {
		Service  string           `json:"service"`
		Server   string           `json:"server,omitempty"`
		Probed   bool             `json:"probed"`
		Answers  []jsonAnswer     `json:"answers"`
		Findings []jsonCheckFound `json:"findings"`
		Relief   []jsonStep       `json:"relief,omitempty"`
		Next     []string         `json:"next,omitempty"`
		Captures []jsonCapture    `json:"captures"`
		Unread   []string         `json:"not_looked_at,omitempty"`
	}
	jsonAnswer struct {
		Topic    string   `json:"topic"`
		Question string   `json:"question"`
		Mark     string   `json:"mark"`
		Text     string   `json:"text"`
		Evidence []string `json:"evidence,omitempty"`
	}
	jsonCapture struct {
		Where     string   `json:"where"`
		Arguments []string `json:"arguments"`
		Command   string   `json:"command"` // the same for a shell
		Text      string   `json:"text"`
	}
)

func writeWhyJSON(w io.Writer, v why.Verdict) error {
	j := jsonWhy{
		Service: v.At.Service.String(), Probed: v.Probed, Findings: jsonFindings(v.Findings), Next: v.Next, Unread: v.Unread,
		Captures: []jsonCapture{},
	}
	if v.At.Server != (netip.AddrPort{}) {
		j.Server = v.At.Server.String()
	}
	for _, a := range v.Answers {
		j.Answers = append(j.Answers, jsonAnswer{a.Topic, a.Question, a.Mark.String(), a.Says, a.Evidence})
	}
	if v.Relief != nil {
		j.Relief = jsonSteps(StepsOf(v.Relief.Items, nil))
	}
	for _, c := range v.Captures {
		j.Captures = append(j.Captures, jsonCapture{c.Where, c.Args, c.String(), c.Expect})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}
