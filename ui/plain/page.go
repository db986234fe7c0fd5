package plain

import (
	"fmt"
	"strings"

	"lvsdeck/ui/text"
)

// page is text in lines. For a terminal they are broken at its width, and what goes
// on stands further in, so that it does not look like a line of its own.
type page struct {
	strings.Builder
	width int // 0: lines stay whole, as for a pipe
}

// line writes one, of which the rest stands hang cells in.
func (p *page) line(hang int, format string, args ...any) {
	s := text.Clean(fmt.Sprintf(format, args...))
	for p.width > 0 && text.Width(s) > p.width {
		at := p.place(s, p.width, hang, false)
		if at < 0 {
			break
		}
		p.WriteString(strings.TrimRight(s[:at], " ") + "\n")
		s = strings.Repeat(" ", hang) + strings.TrimLeft(s[at:], " ")
	}
	p.WriteString(s + "\n")
}

// command writes one for a shell, which still takes it for one when it is broken.
func (p *page) command(indent int, command string) {
	s := strings.Repeat(" ", indent) + text.Clean(strings.TrimSpace(command))
	for p.width > 0 && text.Width(s) > p.width {
		at := p.place(s, p.width-len(` \`), indent+2, true)
		if at < 0 {
			break
		}
		p.WriteString(strings.TrimRight(s[:at], " ") + " \\\n")
		s = strings.Repeat(" ", indent+2) + strings.TrimLeft(s[at:], " ")
	}
	p.WriteString(s + "\n")
}

// place is where to break a line: at the last blank of the width, or at the first
// one behind it; -1 for nowhere. What is quoted stays whole in a command.
func (p *page) place(s string, width, hang int, command bool) int {
	last, cells, quote := -1, 0, rune(0)
	for i, r := range s {
		switch {
		case r == ' ' && quote == 0 && cells > hang && strings.Trim(s[:i], " ") != "":
			if cells > width && last >= 0 {
				return last
			}
			if last = i; cells > width {
				return last
			}
		case !command:
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		}
		cells += text.Width(string(r))
	}
	return last
}
