package setup

import (
	"errors"
	"fmt"
	"strings"

	"lvsdeck/ipvs/check"
)

// Refusal is why a set-up cannot be: which field, which value, which rule, and
// what to do.
type Refusal struct {
	check.Problem
	Do string // "" when the rule says it
}

// Error reads "real server 10.9.0.5: must be on a network of this director; use
// TUN, …".
func (r Refusal) Error() string {
	if r.Do == "" {
		return r.Problem.Error()
	}
	return r.Problem.Error() + "; " + r.Do
}

// Refusals are all that stands against a set-up.
type Refusals []Refusal

func (r Refusals) Error() string {
	lines := make([]string, len(r))
	for i := range r {
		lines[i] = r[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Of gives what is refused about a field.
func (r Refusals) Of(f check.Field) (of Refusals) {
	for _, one := range r {
		if one.Field == f {
			of = append(of, one)
		}
	}
	return of
}

// Refused gives the refusals in an error, if that is what it is.
func Refused(err error) (r Refusals, ok bool) { return r, errors.As(err, &r) }

// refusing collects.
type refusing []Refusal

func (r *refusing) add(bad bool, f check.Field, value any, rule, do string) {
	if bad {
		*r = append(*r, Refusal{check.Problem{Field: f, Value: fmt.Sprint(value), Rule: rule}, do})
	}
}
