package ui

import "fmt"

// scroll moves through more lines than fit.
type scroll struct{ top, lines, height int }

// move handles the keys that scroll.
func (s *scroll) move(key string) bool {
	switch key {
	case "up", "k":
		s.top--
	case "down", "j":
		s.top++
	case "pgup", "ctrl+b":
		s.top -= s.height
	case "pgdown", "ctrl+f", "space":
		s.top += s.height
	case "home", "g":
		s.top = 0
	case "end", "G":
		s.top = s.lines
	default:
		return false
	}
	s.top = max(0, min(s.top, s.lines-s.height))
	return true
}

// window is the lines on screen.
func (s *scroll) window(all []string, height int) []string {
	s.lines, s.height = len(all), height
	s.top = max(0, min(s.top, len(all)-height))
	return all[s.top:min(len(all), s.top+height)]
}

// where is the place of the window, for the lower rule.
func (s *scroll) where() string {
	if s.lines <= s.height {
		return ""
	}
	return fmt.Sprintf(" %d-%d of %d ", s.top+1, min(s.lines, s.top+s.height), s.lines)
}

// hint is the keys that scroll, when there is something to scroll.
func (s *scroll) hint(m *Model) string {
	if s.lines > s.height {
		return "   " + m.signs.Arrows + " PgUp PgDn scroll"
	}
	return ""
}
