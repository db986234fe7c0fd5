package adm

import (
	"fmt"

	"lvsdeck/ipvs/check"
)

// The exit statuses of ipvsadm's refusals.
const (
	exitMisuse  = 2
	exitTryHelp = 255
)

// Error is a command line that is refused.
type Error struct {
	Message string // ipvsadm's own words
	Code    int    // its exit status
	Aborts  bool   // a restore goes no further; else it goes on with the next line
	Arg     int    // which argument, or how many there are when one is missing

	// Problem is the same in our words.
	Problem check.Problem
}

func (e *Error) Error() string { return e.Message }

// fail is how ipvsadm refuses values and combinations.
func fail(p check.Problem, format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), Code: exitMisuse, Aborts: true, Problem: p}
}

// refuse is for what only a strict reader refuses.
func refuse(p check.Problem) *Error { return fail(p, "%v", p) }

// popt is how ipvsadm passes on what its option parser complains of.
func popt(arg int, text, why string) *Error {
	return &Error{
		Message: text + ": " + why, Code: exitTryHelp, Arg: arg,
		Problem: check.Problem{Value: text, Rule: why},
	}
}

// tryHelp is how ipvsadm refuses a line that does not begin with a command.
func tryHelp(arg int, text string) *Error {
	return &Error{
		Message: "Try `ipvsadm -h' or 'ipvsadm --help' for more information.",
		Code:    exitTryHelp, Aborts: true, Arg: arg,
		Problem: check.Problem{Value: text, Rule: "a line must begin with a command such as -A or -a"},
	}
}

func problem(f check.Field, value, rule string) check.Problem {
	return check.Problem{Field: f, Value: value, Rule: rule}
}
