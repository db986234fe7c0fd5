package adm

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path"
	"slices"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
)

// Mistake is a Problem where it stands in a file of rules.
type Mistake struct {
	Line, Column int // from 1; columns count bytes
	check.Problem
	File string // "rules" when empty
}

func (m Mistake) Error() string {
	return fmt.Sprintf("%s:%d:%d: %v", cmp.Or(m.File, "rules"), m.Line, m.Column, m.Problem)
}

// Mistakes are all that is wrong with a file of rules, in its order.
type Mistakes []Mistake

// In is the same with the name of the file.
func (m Mistakes) In(file string) error {
	named := slices.Clone(m)
	for i := range named {
		named[i].File = file
	}
	return named
}

const mostMistakes = 20

// Error tells the first of them, one a line.
func (m Mistakes) Error() string {
	var b strings.Builder
	for i, one := range m {
		if i == mostMistakes {
			fmt.Fprintf(&b, "\nand %d more", len(m)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(one.Error())
	}
	return b.String()
}

// maxLine is far more than any rule needs.
const maxLine = 1 << 16

// ReadRules reads a file of rules: -A, -a, --set and --start-daemon, one a line
// and with or without "ipvsadm" before it. Blank lines do not count, nor what
// follows a word's beginning "#". The file stands for the whole table, so that
// -C is welcome at its start, where it changes nothing.
//
// Nothing is given before everything was found right; the error is Mistakes, or
// the reader's own. The rules are sorted.
func ReadRules(r io.Reader) (ipvs.Rules, error) {
	var f file
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		f.line(n, lines.Text())
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		f.blame(f.lines+1, 1, check.Problem{Field: "line", Rule: "too long for a rule"})
	} else if err != nil {
		return ipvs.Rules{}, err
	}
	rules := f.rules()
	if len(f.mistakes) > 0 {
		slices.SortStableFunc(f.mistakes, func(a, b Mistake) int { return a.Line - b.Line })
		return ipvs.Rules{}, f.mistakes
	}
	rules.Sort()
	return rules, nil
}

// file is a file of rules while it is read.
type file struct {
	lines      int
	statements []statement
	mistakes   Mistakes
}

func (f *file) blame(line, column int, p check.Problem) {
	f.mistakes = append(f.mistakes, Mistake{Line: line, Column: column, Problem: p})
}

// statement is a rule and where its fields stand.
type statement struct {
	Command
	line    int
	columns map[check.Field]int
}

// line reads one line by itself.
func (f *file) line(n int, text string) {
	f.lines = n
	words := withoutName(split(text))
	if len(words) == 0 {
		return
	}
	args := make([]string, len(words))
	for i, w := range words {
		args[i] = w.text
	}
	column := func(arg int) int {
		if arg < len(words) {
			return words[arg].column
		}
		last := words[len(words)-1]
		return last.column + len(last.text)
	}
	l := &line{scanner: scanner{args: args}, strict: true}
	err := l.parse()
	if err == nil {
		err = f.ruleOnly(l.cmd.Verb, args[0])
	}
	if err != nil {
		f.blame(n, column(err.Arg), err.Problem)
		return
	}
	s := statement{l.cmd, n, map[check.Field]int{}}
	for field, arg := range l.at {
		s.columns[field] = column(arg)
	}
	f.statements = append(f.statements, s)
}

// ruleOnly refuses commands that say what to do rather than what shall be.
func (f *file) ruleOnly(v Verb, word string) *Error {
	switch v {
	case AddService, AddServer, SetTimeouts, StartDaemon:
		return nil
	case Clear:
		if len(f.statements) == 0 {
			return nil
		}
		return refuse(problem("", word, "would drop the rules before it; it may stand only at the start"))
	}
	return refuse(problem("", word, "is not a rule; a file of rules has only -A, -a, --set and --start-daemon"))
}

// rules looks at the statements together.
func (f *file) rules() ipvs.Rules {
	t := table{place: map[ipvs.ServiceID]int{}, members: map[member]bool{}}
	t.beside = slices.ContainsFunc(f.statements, func(s statement) bool { return s.Verb == StartDaemon })
	for _, s := range f.statements {
		for _, p := range t.add(s.Command) {
			f.blame(s.line, s.column(p.Field), p)
		}
	}
	return t.rules
}

// table is the image of a table while it grows.
type table struct {
	rules   ipvs.Rules
	place   map[ipvs.ServiceID]int
	members map[member]bool
	beside  bool // a sync daemon shall run beside
}

type member struct {
	ipvs.ServiceID
	netip.AddrPort
}

// add takes a rule in and tells what is wrong with it.
func (t *table) add(c Command) []check.Problem {
	switch c.Verb {
	case AddService:
		return t.addService(c.Service)
	case AddServer:
		return t.addServer(c.Service.ServiceID, c.Server)
	case SetTimeouts:
		if t.rules.Timeouts != nil {
			return []check.Problem{problem(check.Timeouts, "", "must be set only once")}
		}
		t.rules.Timeouts = &c.Timeouts
	case StartDaemon:
		return t.addDaemon(c.Daemon)
	}
	return nil
}

func (t *table) addService(s ipvs.Service) []check.Problem {
	problems := check.OfService(s)
	if _, twice := t.place[s.ServiceID]; twice {
		return append(problems, problem(check.Service, s.Name(), check.ServiceTwice))
	}
	t.place[s.ServiceID] = len(t.rules.Services)
	t.rules.Services = append(t.rules.Services, ipvs.ServiceRules{Service: s})
	return problems
}

func (t *table) addServer(id ipvs.ServiceID, s ipvs.Server) []check.Problem {
	problems := check.OfServer(id, s, t.beside)
	at, known := t.place[id]
	if !known {
		return append(problems, problem(check.Service, id.Name(), "must be added (-A) before its servers"))
	}
	m := member{id, s.Addr}
	if t.members[m] {
		return append(problems, problem(check.Server, s.Addr.String(), check.ServerTwice))
	}
	t.members[m] = true
	servers := &t.rules.Services[at].Servers
	*servers = append(*servers, s)
	return problems
}

func (t *table) addDaemon(d ipvs.Daemon) []check.Problem {
	problems := check.OfDaemon(d)
	if slices.ContainsFunc(t.rules.Daemons, func(o ipvs.Daemon) bool { return o.Role == d.Role }) {
		problems = append(problems, problem(check.Role, d.Role.String(), check.DaemonTwice))
	}
	t.rules.Daemons = append(t.rules.Daemons, d)
	return problems
}

// elsewhere are fields that are written as part of another.
var elsewhere = map[check.Field]check.Field{
	check.Port: check.Service, check.ServerPort: check.Server, check.Service: check.Mark,
	check.Lower: check.Upper, check.TunnelPort: check.TunnelType, check.TunnelFlags: check.TunnelType,
}

// column is where a field stands, or else the command.
func (s statement) column(f check.Field) int {
	for _, f := range []check.Field{f, elsewhere[f]} {
		if at, ok := s.columns[f]; ok {
			return at
		}
	}
	return s.columns[""]
}

// word is a word of a line and the column where it begins.
type word struct {
	text   string
	column int
}

// split takes a line apart at blanks, up to a comment.
func split(line string) []word {
	var words []word
	for i := 0; i < len(line); {
		if strings.IndexByte(space, line[i]) >= 0 {
			i++
			continue
		}
		if line[i] == '#' {
			break
		}
		end := strings.IndexAny(line[i:], space)
		if end < 0 {
			end = len(line) - i
		}
		words = append(words, word{line[i : i+end], i + 1})
		i += end
	}
	return words
}

// withoutName drops "ipvsadm" from the start of a line, as people write it in
// scripts.
func withoutName(words []word) []word {
	rest := words
	if len(rest) > 0 && path.Base(rest[0].text) == "sudo" {
		rest = rest[1:]
	}
	if len(rest) > 0 && path.Base(rest[0].text) == "ipvsadm" {
		return rest[1:]
	}
	return words
}
