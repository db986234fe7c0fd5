package adm

import (
	"bufio"
	"bytes"
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

// Mistakes are all that is wrong with a file of rules, or odd, in its order.
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
// the reader's own. What is only odd is no mistake. The rules are sorted.
func ReadRules(r io.Reader) (ipvs.Rules, error) {
	rules, _, err := ReadOdd(r)
	return rules, err
}

// ReadOdd is ReadRules that tells what is odd, too.
func ReadOdd(r io.Reader) (rules ipvs.Rules, odd Mistakes, err error) {
	f := newFile()
	pieces := bufio.NewScanner(r)
	pieces.Buffer(make([]byte, maxLine), maxLine)
	pieces.Split(wholeLines)
	for pieces.Scan() {
		for text := range strings.Lines(pieces.Text()) {
			f.n++
			text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
			if !f.quick(text) {
				f.read(text)
			}
		}
	}
	if err := pieces.Err(); errors.Is(err, bufio.ErrTooLong) {
		f.n++
		f.blame(1, check.Problem{Field: "line", Rule: "too long for a rule"})
	} else if err != nil {
		return ipvs.Rules{}, nil, err
	}
	f.judgeMixed()
	slices.SortStableFunc(f.mistakes, func(a, b Mistake) int { return a.Line - b.Line })
	if slices.ContainsFunc(f.mistakes, func(m Mistake) bool { return !m.Odd }) {
		return ipvs.Rules{}, nil, f.mistakes
	}
	f.rules.Sort()
	return f.rules, f.mistakes, nil
}

// wholeLines splits a text into pieces of as many lines as there are at once: to make
// a string of each line takes longer than to read most.
func wholeLines(data []byte, atEOF bool) (advance int, piece []byte, err error) {
	end := len(data)
	if !atEOF {
		end = 1 + bytes.LastIndexByte(data, '\n')
	}
	if end == 0 {
		return 0, nil, nil // more is needed
	}
	return end, data[:end], nil
}

// file is a file of rules while it is read, and the image of a table that grows
// from it.
type file struct {
	n      int    // of the line
	line   line   // used again for each, as are
	buffer []word // its words, and of these
	words  []word // those that count
	group  group  // of the servers read last

	begun    bool // a rule was read
	rules    ipvs.Rules
	place    map[ipvs.ServiceID]int
	members  map[int]map[netip.AddrPort]bool // see twice
	beside   bool                            // a sync daemon shall run beside
	mixed    []mixed
	mistakes Mistakes
}

func newFile() *file {
	return &file{place: map[ipvs.ServiceID]int{}, members: map[int]map[netip.AddrPort]bool{}}
}

// mixed is a server of another family than its service's. Whether that may be is
// only known when the last line may have started a daemon.
type mixed struct {
	n, column int
	id        ipvs.ServiceID
	server    ipvs.Server
}

func (f *file) blame(column int, p check.Problem) {
	f.mistakes = append(f.mistakes, Mistake{Line: f.n, Column: column, Problem: p})
}

// read reads one line.
func (f *file) read(text string) {
	f.buffer = split(f.buffer[:0], text)
	f.words = withoutName(f.buffer)
	if len(f.words) == 0 {
		return
	}
	l := &f.line
	*l = line{scanner: scanner{args: l.args[:0], rest: l.rest[:0]}, at: l.at[:0], strict: true, before: l.before}
	for _, w := range f.words {
		l.args = append(l.args, w.text)
	}
	err := l.parse()
	if err == nil {
		err = f.ruleOnly(l.cmd.Verb, l.args[0])
	}
	if err != nil {
		f.blame(f.column(err.Arg), err.Problem)
		return
	}
	f.begun = true
	for _, p := range f.add(&l.cmd) {
		f.blame(f.column(l.at.near(p.Field)), p)
	}
}

// column is where an argument stands, or where one is missing.
func (f *file) column(arg int) int {
	if arg < len(f.words) {
		return f.words[arg].column
	}
	last := f.words[len(f.words)-1]
	return last.column + len(last.text)
}

// ruleOnly refuses commands that say what to do rather than what shall be.
func (f *file) ruleOnly(v Verb, word string) *Error {
	switch v {
	case AddService, AddServer, SetTimeouts, StartDaemon:
		return nil
	case Clear:
		if !f.begun {
			return nil
		}
		return refuse(problem("", word, "would drop the rules before it; it may stand only at the start"))
	}
	return refuse(problem("", word, "is not a rule; a file of rules has only -A, -a, --set and --start-daemon"))
}

// add takes a rule in and tells what is wrong with it.
func (f *file) add(c *Command) []check.Problem {
	switch c.Verb {
	case AddService:
		return f.addService(c.Service)
	case AddServer:
		return f.addServer(c.Service.ServiceID, c.Server)
	case SetTimeouts:
		if f.rules.Timeouts != nil {
			return []check.Problem{problem(check.Timeouts, "", "must be set only once")}
		}
		timeouts := c.Timeouts
		f.rules.Timeouts = &timeouts
		return check.OfTimeouts(timeouts)
	case StartDaemon:
		return f.addDaemon(c.Daemon)
	}
	return nil
}

func (f *file) addService(s ipvs.Service) []check.Problem {
	problems := check.OfService(s)
	if _, twice := f.place[s.ServiceID]; twice {
		return append(problems, problem(check.Service, s.Name(), check.ServiceTwice))
	}
	f.keepService(s)
	return problems
}

func (f *file) keepService(s ipvs.Service) {
	f.place[s.ServiceID] = len(f.rules.Services)
	f.rules.Services = append(f.rules.Services, ipvs.ServiceRules{Service: s})
}

func (f *file) addServer(id ipvs.ServiceID, s ipvs.Server) []check.Problem {
	if s.Family() != id.Family {
		f.mixed = append(f.mixed, mixed{f.n, f.column(f.line.at.near(check.Server)), id, s})
	}
	problems := check.OfServer(id, s, false)
	at, known := f.place[id]
	if !known {
		return append(problems, problem(check.Service, id.Name(), "must be added (-A) before its servers"))
	}
	if f.twice(at, s.Addr) {
		return append(problems, problem(check.Server, s.Addr.String(), check.ServerTwice))
	}
	f.keepServer(at, s)
	return problems
}

// keepServer takes in a server of the service in a place. Most services have as many as
// the one before.
func (f *file) keepServer(place int, s ipvs.Server) {
	to := &f.rules.Services[place].Servers
	if *to == nil && place > 0 {
		*to = make([]ipvs.Server, 0, max(1, len(f.rules.Services[place-1].Servers)))
	}
	*to = append(*to, s)
}

// twice tells whether a service has that server already. Files that were written
// by a program are in order; only where that ends is a set needed.
func (f *file) twice(place int, server netip.AddrPort) bool {
	servers := f.rules.Services[place].Servers
	set := f.members[place]
	if set == nil {
		if n := len(servers); n == 0 || servers[n-1].Addr.Compare(server) < 0 {
			return false
		}
		set = map[netip.AddrPort]bool{}
		for i := range servers {
			set[servers[i].Addr] = true
		}
		f.members[place] = set
	}
	twice := set[server]
	set[server] = true
	return twice
}

func (f *file) addDaemon(d ipvs.Daemon) []check.Problem {
	f.beside = true
	problems := check.OfDaemon(d)
	if slices.ContainsFunc(f.rules.Daemons, func(o ipvs.Daemon) bool { return o.Role == d.Role }) {
		problems = append(problems, problem(check.Role, d.Role.String(), check.DaemonTwice))
	}
	f.rules.Daemons = append(f.rules.Daemons, d)
	return problems
}

// judgeMixed tells what is wrong with servers because of a daemon.
func (f *file) judgeMixed() {
	if !f.beside {
		return
	}
	for _, m := range f.mixed {
		told := check.OfServer(m.id, m.server, false)
		for _, p := range check.OfServer(m.id, m.server, true) {
			if !slices.Contains(told, p) {
				f.mistakes = append(f.mistakes, Mistake{Line: m.n, Column: m.column, Problem: p})
			}
		}
	}
}

// elsewhere are fields that are written as part of another.
var elsewhere = map[check.Field]check.Field{
	check.Port: check.Service, check.ServerPort: check.Server, check.Service: check.Mark,
	check.Lower: check.Upper, check.TunnelPort: check.TunnelType, check.TunnelFlags: check.TunnelType,
}

// near is the argument that gave a field, or one that it is part of, or else the
// command.
func (p places) near(f check.Field) int {
	for _, f := range []check.Field{f, elsewhere[f]} {
		if arg, given := p.of(f); given {
			return arg
		}
	}
	arg, _ := p.of("")
	return arg
}

// word is a word of a line and the column where it begins.
type word struct {
	text   string
	column int
}

// split takes a line apart at blanks, up to a comment, and appends its words.
func split(words []word, line string) []word {
	for i := 0; i < len(line) && line[i] != '#'; {
		start := i
		for i < len(line) && !isSpace(line[i]) {
			i++
		}
		if i > start {
			words = append(words, word{line[start:i], start + 1})
		}
		for i < len(line) && isSpace(line[i]) {
			i++
		}
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

// ServiceOf tells of which service a line of a file of rules is, if of any.
func ServiceOf(text string) (id ipvs.ServiceID, ok bool) {
	var args []string
	for _, w := range withoutName(split(nil, text)) {
		args = append(args, w.text)
	}
	if len(args) == 0 {
		return id, false
	}
	c, err := Parse(args, nil)
	if err != nil || c.Verb != AddService && c.Verb != AddServer {
		return id, false
	}
	return c.Service.ServiceID, true
}
