package ui

import (
	"fmt"

	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
)

// takeReport shows what the newest round of checks came to.
func (m *Model) takeReport() {
	if m.opts.Checks == nil {
		return
	}
	r := m.opts.Checks.Latest()
	if r == m.report || r == nil {
		return
	}
	if m.opts.History != nil && m.report != nil && m.opts.Replay == nil { // a recording has them
		m.opts.History.Mark(history.Findings(m.report, r)...)
	}
	m.report = r
	m.list.SetFindings(services.NewFindings(r.Findings))
}

// foundSegments count what is wrong, all the time.
func (m *Model) foundSegments() (out []segment) {
	if m.report == nil {
		return nil
	}
	n := check.Count(m.report.Findings)
	count := func(of check.Severity, sign string, keep int) {
		text := amount(n[of], of)
		if m.width < roomy {
			text = fmt.Sprintf("%d%s", n[of], sign)
		}
		if n[of] > 0 {
			out = append(out, segment{severityStyle(of), text, keep})
		}
	}
	count(check.Fault, services.FaultSign, 8)
	count(check.Warning, services.WarningSign, 7)
	return out
}

// roomy is the width from which on words need not be short.
const roomy = 100

// amount is "1 fault" or "2 warnings".
func amount(n int, of check.Severity) string {
	if n == 1 {
		return "1 " + of.String()
	}
	return fmt.Sprintf("%d %ss", n, of)
}

func severityStyle(s check.Severity) paint.Style {
	return [...]paint.Style{check.Notice: paint.Rest, check.Warning: paint.Warn, check.Fault: paint.Bad}[s]
}

// aboutMost is how many findings the detail pane names.
const aboutMost = 3

// aboutFound is what was found about the row under the cursor.
func (m *Model) aboutFound() (lines []services.About) {
	row, ok := m.list.Current()
	if !ok || m.report == nil {
		return nil
	}
	k, more := row.Key(), 0
	for _, f := range m.report.Findings {
		switch {
		case !f.About(k.Service, k.Server):
		case len(lines) == aboutMost:
			more++
		default:
			a := services.About{Label: f.Severity.String(), Parts: []services.Part{{Style: severityStyle(f.Severity), Text: f.Short}}}
			if row.Server == nil && f.Server.IsValid() {
				a.Parts = append(a.Parts, services.Part{Style: paint.Plain, Text: f.Server.String()})
			}
			lines = append(lines, a)
		}
	}
	if more > 0 {
		last := &lines[len(lines)-1]
		last.Parts = append(last.Parts, services.Part{Style: paint.Accent, Text: fmt.Sprintf("F shows %d more", more)})
	}
	return lines
}

func (m *Model) findings() []check.Finding {
	if m.report == nil {
		return nil
	}
	return m.report.Findings
}
