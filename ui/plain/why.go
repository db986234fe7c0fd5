package plain

import (
	"encoding/json"
	"io"
	"net/netip"
	"strings"

	"lvsdeck/ops/why"
)

// WriteWhy writes the answers about a service and what they come to, in a format
// that CheckFormat accepts: first in short what they come to, and behind them in
// full. Width is the terminal's; 0: it is none, and lines stay whole.
func WriteWhy(w io.Writer, v why.Verdict, format string, width int) error {
	if format == "json" {
		return writeWhyJSON(w, v)
	}
	b := page{width: width}
	conclude := func(full bool) {
		b.line(0, "%s", v.Sum())
		for _, f := range v.Findings {
			service, server := aboutText(f)
			if b.line(hangs, "%s  %s  %s  %s", f.Severity, dash(service), dash(server), f.Short); full {
				details(&b, f)
			}
		}
		if v.Relief != nil {
			if b.line(hangs, "relief  until it is mended: %s", v.Relief.Title); full {
				indented(&b, v.Relief.Commands())
			}
		}
		for _, n := range v.Next {
			b.line(hangs, "next  %s", n)
		}
	}
	conclude(false)
	b.line(0, "")
	for _, a := range v.Answers {
		b.line(whySays, "%-9s  %-10s  %s", a.Mark, a.Topic, a.Says)
		for _, e := range a.Evidence {
			b.line(hangs, "   %s", e)
		}
	}
	b.line(0, "")
	conclude(true)
	for _, c := range v.Captures {
		b.line(hangs, "capture on %s  %s", c.Where, c.Expect)
		indented(&b, c.String())
	}
	for _, u := range v.Unread {
		b.line(hangs, "! not looked at: %s", u)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// whySays is where what an answer says begins.
const whySays = len("not known  handshakes  ")

func indented(b *page, commands string) {
	for command := range strings.Lines(commands) {
		b.command(3, command)
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
