package plain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
	"lvsdeck/ui/text"
)

// Checked is what checks came to.
type Checked struct {
	Services, Servers int // that were looked at
	Findings          []check.Finding
	Unread            []string
	Probed            string // what came of asking servers, "": nobody was asked
	Width             int    // of the terminal; 0: it is none, and lines stay whole
}

// WriteChecked writes findings in a format that CheckFormat accepts: a line for
// each, with how it is known, what it means and what to do under it. How many there
// are stands first, and after them once more.
func WriteChecked(w io.Writer, c Checked, format string) error {
	if format == "json" {
		return writeCheckedJSON(w, c)
	}
	var rows bytes.Buffer
	tw := tabwriter.NewWriter(&rows, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "SEVERITY\tSERVICE\tSERVER\tCHECK\tFINDING")
	for _, f := range c.Findings {
		service, server := aboutText(f)
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", f.Severity, strings.ReplaceAll(dash(service), " ", "/"), dash(server),
			strings.ReplaceAll(f.Check, " ", "-"), text.Clean(f.Short))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	b := page{width: c.Width}
	counts := fmt.Sprintf("%d services, %d servers: %s", c.Services, c.Servers, count(c.Findings))
	if len(c.Findings) > 0 {
		b.line(hangs, "%s", counts)
	}
	for i, line := range strings.SplitAfter(strings.TrimSuffix(rows.String(), "\n"), "\n") {
		if len(c.Findings) == 0 {
			break
		}
		b.line(hangs, "%s", strings.TrimRight(line, "\n"))
		if i > 0 {
			details(&b, c.Findings[i-1])
		}
	}
	for _, u := range c.Unread {
		b.line(hangs, "! not looked at: %s", u)
	}
	if c.Probed != "" {
		b.line(hangs, "probed: %s", c.Probed)
	}
	b.line(hangs, "%s", counts)
	_, err := io.WriteString(w, b.String())
	return err
}

// aboutText names what a finding is about; both are "" for the whole director.
func aboutText(f check.Finding) (service, server string) {
	if f.Service != (ipvs.ServiceID{}) {
		service = f.Service.String()
	}
	if f.Server.IsValid() {
		server = f.Server.String()
	}
	return service, server
}

// hangs is how far the rest of a broken line stands in.
const hangs = 5

func details(b *page, f check.Finding) {
	for _, e := range f.Evidence {
		b.line(hangs, "   %s", e)
	}
	b.line(hangs, "   means: %s", f.Means)
	if f.Fix != nil {
		for _, i := range f.Fix.Items {
			b.line(hangs, "   fix: %s", i.Step)
			for command := range strings.Lines(i.Step.Command()) {
				b.command(8, command)
			}
		}
	}
	for _, line := range f.Lines {
		b.line(hangs, "   there: %s", line)
	}
}

// count is "1 fault, 2 warnings", or that there is none.
func count(all []check.Finding) string {
	var parts []string
	for _, s := range []check.Severity{check.Fault, check.Warning, check.Notice} {
		n := 0
		for _, f := range all {
			if f.Severity == s {
				n++
			}
		}
		switch {
		case n == 1:
			parts = append(parts, "1 "+s.String())
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, s))
		}
	}
	if len(parts) == 0 {
		return "nothing wrong is seen from here"
	}
	return strings.Join(parts, ", ")
}

// The JSON form of findings.
type (
	jsonChecked struct {
		Services int              `json:"services"`
		Servers  int              `json:"servers"`
		Findings []jsonCheckFound `json:"findings"`
		Unread   []string         `json:"not_looked_at,omitempty"`
		Probed   string           `json:"probed,omitempty"`
	}
	jsonCheckFound struct {
		Severity string     `json:"severity"`
		Check    string     `json:"check"`
		Service  string     `json:"service,omitempty"` // none: the whole director
		Server   string     `json:"server,omitempty"`  // none: all of the service
		Text     string     `json:"text"`
		Evidence []string   `json:"evidence"`
		Means    string     `json:"means"`
		Fix      []jsonStep `json:"fix,omitempty"`
		There    []string   `json:"on_the_server,omitempty"`
	}
)

func writeCheckedJSON(w io.Writer, c Checked) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(jsonChecked{c.Services, c.Servers, jsonFindings(c.Findings), c.Unread, c.Probed})
}

func jsonFindings(all []check.Finding) []jsonCheckFound {
	found := []jsonCheckFound{}
	for _, f := range all {
		service, server := aboutText(f)
		one := jsonCheckFound{
			Severity: f.Severity.String(), Check: f.Check, Service: service, Server: server, Text: f.Short,
			Evidence: f.Evidence, Means: f.Means, There: f.Lines,
		}
		if f.Fix != nil {
			one.Fix = jsonSteps(StepsOf(f.Fix.Items, nil))
		}
		found = append(found, one)
	}
	return found
}
