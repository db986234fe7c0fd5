package plan

import (
	"fmt"
	"strings"
)

// Moved says that a row is neither as it was when the operator looked nor as the
// step would make it. errors.Is finds ErrMoved.
type Moved struct {
	Row         string // "10.0.0.1:80 of TCP 203.0.113.10:443"
	Gone        bool   // it was there
	Appeared    bool   // it was not there
	Differences []Difference
}

// Difference is one field of a row at two times.
type Difference struct {
	Field, Was, Is string
}

func (m *Moved) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", m.Row)
	switch {
	case m.Gone:
		b.WriteString("it was there when you looked, and is gone now")
	case m.Appeared:
		b.WriteString("it was not there when you looked, and is there now")
	}
	for i, d := range m.Differences {
		if i > 0 {
			b.WriteString(", ")
		}
		if d.Is == "" {
			fmt.Fprintf(&b, "%s was there when you looked, is gone now", d.Field)
		} else if d.Was == "" {
			fmt.Fprintf(&b, "%s is new since you looked", d.Field)
		} else {
			fmt.Fprintf(&b, "%s was %s when you looked, is %s now", d.Field, d.Was, d.Is)
		}
	}
	b.WriteString("; look again, then decide")
	return b.String()
}

// Is makes every Moved an ErrMoved.
func (m *Moved) Is(target error) bool { return target == ErrMoved }

// there is what stands for a whole row in a Difference.
const there = "there"

// fields collects differences.
type fields []Difference

func (f *fields) compare(name string, was, is any) {
	if a, b := fmt.Sprint(was), fmt.Sprint(is); a != b {
		*f = append(*f, Difference{name, a, b})
	}
}

// text is "weight 100 to 50, forwarding NAT to DR".
func (f fields) text() string {
	var parts []string
	for _, d := range f {
		parts = append(parts, d.Field+" "+d.Was+" to "+d.Is)
	}
	return strings.Join(parts, ", ")
}
