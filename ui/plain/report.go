package plain

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
	"lvsdeck/ops/report"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// markdown writes a report piece by piece.
type markdown struct {
	strings.Builder
	ink paint.Ink
}

// IncidentReport writes an incident report as Markdown, its graphs drawn with an ink. What
// comes from elsewhere cannot change its form.
func IncidentReport(w io.Writer, r *report.Report, ink paint.Ink) error {
	m := &markdown{ink: ink}
	m.head(r)
	m.timeLine(r)
	m.rows(r)
	m.graphs(r)
	m.talkers(r)
	m.findings(r)
	if len(r.Missing) > 0 {
		m.title("What is not in here")
		for _, s := range r.Missing {
			m.line("- %s", md(s))
		}
	}
	_, err := io.WriteString(w, m.String())
	return err
}

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

func (m *markdown) title(s string) { m.line("\n## %s\n", s) }

// table begins a table with its columns.
func (m *markdown) table(columns ...string) {
	m.line("| %s |", strings.Join(columns, " | "))
	m.line("|%s", strings.Repeat("---|", len(columns)))
}

func (m *markdown) cells(cells ...string) { m.line("| %s |", strings.Join(cells, " | ")) }

// md makes a text from elsewhere stand in Markdown without changing its form: no
// link, picture, code or HTML, and no cell of its own. Words of which a page would
// make links by itself, as of addresses, names of people and numbers of issues, are
// shown letter by letter.
func md(s string) string {
	words := strings.Split(text.Clean(s), " ")
	for i, w := range words {
		if linked.MatchString(w) {
			words[i] = strings.ReplaceAll(code(w), "|", `\|`)
		} else {
			words[i] = inert.Replace(w)
		}
	}
	return strings.Join(words, " ")
}

var (
	linked = regexp.MustCompile(`(?i)://|www\.|mailto:|@\w|[#!]\d|\bGH-\d`)
	inert  = strings.NewReplacer(`\`, `\\`, "|", `\|`, "`", "\\`", "<", `\<`, "[", `\[`, "](", `]\(`, "*", `\*`, "#", `\#`, "&", `\&`)
)

// code is a text that is shown letter by letter, as commands are.
func code(s string) string {
	return "`" + strings.ReplaceAll(text.Clean(s), "`", "'") + "`"
}

func (m *markdown) head(r *report.Report) {
	m.line("# Incident on %s\n", md(r.Host))
	m.line("%s to %s %s (%s), from %s. Began %s (%s).\n", r.From.Local().Format(time.DateTime), r.Clock(r.To), r.To.Local().Format("MST"), figure.Span(r.To.Sub(r.From)),
		md(r.Of), r.Clock(r.Began), md(r.Why))
	for _, part := range []struct {
		name string
		says []string
	}{{"What changed", r.Changed}, {"Who is affected", r.Affected}, {"Who causes it", r.Causes}} {
		m.line("- **%s:** %s", part.name, md(strings.Join(part.says, " ")))
	}
}

func (m *markdown) timeLine(r *report.Report) {
	m.title("Time line")
	if len(r.Events) == 0 {
		m.line("Nothing was written down, and nothing was changed.")
		return
	}
	if r.Left > 0 {
		m.line("%d older entries are left out.\n", r.Left)
	}
	m.table("time", "what", "row", "")
	for _, e := range r.Events {
		says := text.Clean(e.Text)
		if e.Entry.Kind != "" {
			says = EntryText(e.Entry)
		}
		if e.Entry.Kind == incident.Noted {
			says += " (" + e.By.String() + ")"
		}
		row := ""
		if !e.Row.Director() {
			row = e.Row.String()
		}
		if row != "" {
			says = strings.TrimPrefix(says, row+": ") // it stands beside it
		}
		m.cells(r.Clock(e.Time), md(e.Kind), md(row), md(says))
	}
}

// mean is a figure where it is known.
func mean(v float32) string {
	if v < 0 {
		return "-"
	}
	return figure.Count(uint64(v + .5))
}

func (m *markdown) rows(r *report.Report) {
	m.title("Rows that moved most")
	if len(r.Rows) == 0 {
		m.line("None moved by a third or more.")
		return
	}
	m.line("Means before %s, and from then on.\n", r.Clock(r.Began))
	m.table("row", "conn/s before", "during", "at most", "active before", "during", "at most")
	for _, row := range r.Rows {
		name := row.Row.String()
		if row.Gone {
			name += " (not in the table any more)"
		}
		m.cells(md(name), mean(row.Before.Conns), mean(row.During.Conns), mean(row.Most.Conns), mean(row.Before.Active), mean(row.During.Active), mean(row.Most.Active))
	}
}

// graphHeight is the lines of a graph.
const graphHeight = 6

func (m *markdown) graphs(r *report.Report) {
	if len(r.Graphs) == 0 {
		return
	}
	m.title("Graphs")
	for _, g := range r.Graphs {
		name := map[history.Metric]string{history.Conns: "conn/s", history.Active: "active"}[g.Metric]
		m.line("%s of %s:\n", name, md(g.Row.String()))
		m.line("```")
		m.graph(r, g)
		m.line("```\n")
	}
}

// graph is a plot with its top and foot, a mark under when it began, and the time.
func (m *markdown) graph(r *report.Report, g report.Graph) {
	var top float32
	for i, v := range g.Mean {
		top = max(top, v, g.Max[i])
	}
	width := len(g.Mean) / m.ink.Across()
	for y, line := range m.ink.Plot(g.Mean, g.Max, top, width, graphHeight) {
		label := ""
		switch y {
		case 0:
			label = mean(top)
		case graphHeight - 1:
			label = "0"
		}
		m.line("%5s |%s", label, strings.TrimRight(string(line), " "))
	}
	at := int(float64(width) * float64(r.Began.Sub(g.From)) / float64(g.To.Sub(g.From)))
	axis := []byte(strings.Repeat("-", width))
	if at >= 0 && at < width {
		axis[at] = '^'
	}
	m.line("      +%s", axis)
	last := len(":05")
	from, to := r.Clock(g.From), r.Clock(g.To)
	from, to = from[:len(from)-last], to[:len(to)-last]
	m.line("       %s%s%s", from, strings.Repeat(" ", max(1, width-len(from)-len(to))), to)
}

func (m *markdown) talkers(r *report.Report) {
	if r.Conns == nil {
		return
	}
	m.title("Connections")
	all := r.Conns.All
	m.line("Read at %s: %s connections, %s established, %s half open, %s templates.", r.Clock(r.ConnsAt),
		figure.Count(all.Conns), figure.Count(all.Open), figure.Count(all.HalfOpen), figure.Count(all.Templates))
	if f := r.Conns.Filter; !f.Empty() {
		m.line("Only of %s.", md(f.String()))
	}
	for _, by := range []conns.By{conns.ByClient, conns.ByNet, conns.ByState} {
		groups := r.Top(by)
		if len(groups) == 0 {
			continue
		}
		m.line("")
		m.table(by.String(), "connections", "share", "established", "half open", "templates")
		for _, g := range groups {
			m.cells(md(g.Name(by)), figure.Count(g.Conns), fmt.Sprintf("%.1f %%", 100*r.Conns.Share(g.Counts)), figure.Count(g.Open), figure.Count(g.HalfOpen), figure.Count(g.Templates))
		}
	}
}

func (m *markdown) findings(r *report.Report) {
	m.title("Findings")
	switch {
	case r.Checks == nil:
		m.line("No checks were made.")
		return
	case len(r.Checks.Findings) == 0:
		m.line("As of %s nothing wrong is seen from here.", r.Clock(r.Checks.Time))
		return
	}
	m.line("As of %s.", r.Clock(r.Checks.Time))
	for _, f := range r.Checks.Findings {
		service, server := aboutText(f)
		about := "The director"
		switch {
		case server != "":
			about = server + " of " + service
		case service != "":
			about = service
		}
		m.line("\n### %s: %s\n", f.Severity, md(f.Short))
		m.line("%s. %s\n", md(about), md(f.Means))
		for _, e := range f.Evidence {
			m.line("- %s", md(e))
		}
		m.ends(f)
	}
}

// ends is what ends a finding, here or on the server.
func (m *markdown) ends(f check.Finding) {
	if f.Fix != nil {
		for _, s := range StepsOf(f.Fix.Items, nil) {
			m.line("- fix: %s", md(s.Text))
			for command := range strings.Lines(s.Command) {
				m.line("  - %s", code(strings.TrimSpace(command)))
			}
		}
	}
	for _, l := range f.Lines {
		m.line("- on the server: %s", code(l))
	}
}
