package ui

import "fmt"

// pick is a cursor in a list of which a part is on screen.
type pick struct{ at, top, n, height int }

// move handles the keys that move the cursor.
func (p *pick) move(key string) bool {
	switch key {
	case "up", "k":
		p.at--
	case "down", "j":
		p.at++
	case "pgup", "ctrl+b":
		p.at -= p.height
	case "pgdown", "ctrl+f":
		p.at += p.height
	case "home", "g":
		p.at = 0
	case "end", "G":
		p.at = p.n
	default:
		return false
	}
	p.at = max(0, min(p.at, p.n-1))
	return true
}

// window is which of n rows are on screen.
func (p *pick) window(n, height int) (from, to int) {
	p.n, p.height = n, height
	p.at = max(0, min(p.at, n-1))
	p.top = max(0, min(p.top, p.at, n-height), p.at-height+1)
	return p.top, min(n, p.top+height)
}

// where is the place of the cursor, for the lower rule.
func (p *pick) where() string {
	if p.n == 0 {
		return ""
	}
	return fmt.Sprintf(" %d of %d ", p.at+1, p.n)
}
