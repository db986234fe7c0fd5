// Package check tells whether services, servers and whole rules are such as the
// kernel takes and ipvsadm's language can say, before anything is tried. Each
// refusal is a Problem, which a form shows at its field and a reader of files
// at its column.
//
// Out of scope: what only the host knows. Whether a scheduler's module exists,
// an address is some network's broadcast, or an interface is there, is for the
// table to say.
package check

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"lvsdeck/ipvs"
)

// Field is what a Problem is about, in an operator's words.
type Field string

// The fields of services, servers, timeouts and daemons.
const (
	Service     Field = "service"
	Port        Field = "port"
	Mark        Field = "firewall mark"
	Family      Field = "address family"
	Protocol    Field = "protocol"
	Scheduler   Field = "scheduler"
	SchedFlags  Field = "scheduler flags"
	Persistence Field = "persistence"
	Mask        Field = "mask"
	Engine      Field = "persistence engine"
	OnePacket   Field = "one-packet"

	Server      Field = "real server"
	ServerPort  Field = "real server's port"
	Forward     Field = "forwarding method"
	Weight      Field = "weight"
	Upper       Field = "upper threshold"
	Lower       Field = "lower threshold"
	TunnelType  Field = "tunnel type"
	TunnelPort  Field = "tunnel port"
	TunnelFlags Field = "tunnel checksum"

	Timeouts  Field = "timeout"
	Role      Field = "sync daemon"
	Interface Field = "multicast interface"
	SyncID    Field = "sync id"
	MaxLen    Field = "sync message length"
	Group     Field = "multicast group"
	GroupPort Field = "multicast port"
	TTL       Field = "multicast TTL"
)

// Problem is one refusal.
type Problem struct {
	Of    string // the service or server, where several are checked; else ""
	Field Field
	Value string // as it was given
	Rule  string // what it must be: "must be 0 to 2147483647"

	// Odd: the kernel takes it all the same, and ipvsadm's language can say it. It
	// is nothing to ask for, but what others have made so runs, is saved and is
	// restored.
	Odd bool
}

// Bad leaves out of problems what is only odd.
func Bad(all []Problem) (bad []Problem) {
	for _, p := range all {
		if !p.Odd {
			bad = append(bad, p)
		}
	}
	return bad
}

// Error reads "weight -5: must be 0 to 2147483647".
func (p Problem) Error() string {
	var b strings.Builder
	if p.Of != "" {
		b.WriteString(p.Of + ": ")
	}
	b.WriteString(string(p.Field))
	if p.Value != "" {
		if p.Field != "" {
			b.WriteString(" ")
		}
		b.WriteString(visible(p.Value))
	}
	return b.String() + ": " + p.Rule
}

// visible quotes a value that could not be seen or would upset a terminal.
func visible(value string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	if strings.ContainsFunc(value, odd) {
		return strconv.Quote(value)
	}
	return value
}

// problems collects.
type problems struct {
	all []Problem

	// Where rows of several are checked, the row.
	ofService *ipvs.ServiceID
	ofServer  *ipvs.Server // nil for the service itself
}

func (p *problems) of() string {
	switch {
	case p.ofService == nil:
		return ""
	case p.ofServer == nil:
		return p.ofService.String()
	}
	return ipvs.ServerTarget(*p.ofService, *p.ofServer)
}

// add takes a problem in if there is one. Only then is the value put into words:
// files have tens of thousands of good rows.
func add[T any](p *problems, bad bool, f Field, value T, rule string) {
	if bad {
		p.all = append(p.all, Problem{Of: p.of(), Field: f, Value: fmt.Sprint(value), Rule: rule})
	}
}

// addf is add with a rule that names another value.
func addf[T, A any](p *problems, bad bool, f Field, value T, rule string, arg A) {
	if bad {
		add(p, true, f, value, fmt.Sprintf(rule, arg))
	}
}

// odd is add for what the kernel takes all the same.
func odd[T any](p *problems, is bool, f Field, value T, rule string) {
	if is {
		add(p, true, f, value, rule)
		p.all[len(p.all)-1].Odd = true
	}
}

func oddf[T, A any](p *problems, is bool, f Field, value T, rule string, arg A) {
	if is {
		odd(p, true, f, value, fmt.Sprintf(rule, arg))
	}
}
