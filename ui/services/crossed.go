package services

// CrossedSign is the sign of rows of which a threshold is crossed.
const CrossedSign = "T"

// Crossed is the rows of which a threshold is crossed, a service's with those of its
// servers.
type Crossed map[Key]bool

// Add takes a row in, and its service.
func (c Crossed) Add(k Key) {
	c[k], c[Key{Service: k.Service}] = true, true
}

// SetCrossed shows other crossed rows.
func (l *List) SetCrossed(c Crossed) {
	l.crossed = c
	if l.problems {
		l.arrange()
	}
}
