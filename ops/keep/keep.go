package keep

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/persist"
	"lvsdeck/persist/adm"
)

// Language is how rules are kept: ipvsadm's. What others may have made and that
// has no words for is kept as JSON, so that a snapshot can always be gone back to.
var Language = persist.Language{Write: write, Read: func(r io.Reader) (ipvs.Rules, error) {
	var s Saved
	return s.read(r)
}}

func write(w io.Writer, rules ipvs.Rules) error {
	if len(check.Bad(check.OfRules(rules))) > 0 {
		return json.NewEncoder(w).Encode(rules)
	}
	return adm.WriteRules(w, rules)
}

// Saved is rules that were kept.
type Saved struct {
	Name  string // of the file, or what else it is called
	Time  time.Time
	Rules ipvs.Rules
	Odd   adm.Mistakes // what nobody should ask for, and can run all the same
}

// read reads and checks rules, in whichever of both forms they are.
func (s *Saved) read(r io.Reader) (rules ipvs.Rules, err error) {
	in := bufio.NewReader(r)
	if first, _ := in.Peek(1); string(first) == "{" {
		return rules, json.NewDecoder(in).Decode(&rules)
	}
	rules, s.Odd, err = adm.ReadOdd(in)
	for i := range s.Odd {
		s.Odd[i].File = s.Name
	}
	return rules, err
}

// Open reads and checks a whole file. A mistake is named by file, line and
// column.
func Open(path string) (Saved, error) {
	s := Saved{Name: path}
	var err error
	s.Rules, s.Time, err = persist.Language{Read: s.read}.ReadFile(path)
	return s, err
}

// Read does the same with what has no name of its own.
func Read(r io.Reader, name string) (Saved, error) {
	s := Saved{Name: name}
	var err error
	s.Rules, err = s.read(r)
	var mistakes adm.Mistakes
	if errors.As(err, &mistakes) {
		err = mistakes.In(name)
	}
	return s, err
}

// Written is running rules to be written down, and what is odd about them.
type Written struct {
	Rules ipvs.Rules
	Odd   []check.Problem
}

// Warning is what to say of odd rows, or "".
func (w Written) Warning() string {
	if len(w.Odd) == 0 {
		return ""
	}
	return "lvsdeck restore takes this as it runs; ipvsadm -R does not, or makes something else of it:" + list(w.Odd)
}

// Save writes the running rules to a file, whole or not at all.
func Save(ctx context.Context, t ipvs.Table, path string) (Written, error) {
	w, err := Running(ctx, t)
	if err != nil {
		return w, err
	}
	return w, persist.WriteFile(path, w.Write)
}

// Print writes the running rules.
func Print(ctx context.Context, t ipvs.Table, to io.Writer) error {
	w, err := Running(ctx, t)
	if err != nil {
		return err
	}
	return w.Write(to)
}

// Write writes the rules.
func (w Written) Write(to io.Writer) error { return adm.WriteRules(to, w.Rules) }

// Running reads rules to be written. Those for which the language has no words, as
// other programs may make them, are refused: a file that looks like a save and is
// none would be found out at the next boot.
func Running(ctx context.Context, t ipvs.Table) (Written, error) {
	rules, err := persist.ReadRules(ctx, t)
	if err != nil {
		return Written{}, err
	}
	w := Written{rules, check.OfRules(rules)}
	if bad := check.Bad(w.Odd); len(bad) > 0 {
		err = errors.New("not saved, because it could not be restored:" + list(bad))
	}
	return w, err
}

// mostProblems is as many as one can read.
const mostProblems = 20

// list tells problems, each on a line of its own.
func list(problems []check.Problem) string {
	var b strings.Builder
	for _, p := range problems[:min(len(problems), mostProblems)] {
		b.WriteString("\n" + p.Error())
	}
	if more := len(problems) - mostProblems; more > 0 {
		fmt.Fprintf(&b, "\nand %d more", more)
	}
	return b.String()
}

// Size is "3 services, 12 servers".
func Size(r ipvs.Rules) string {
	servers := 0
	for i := range r.Services {
		servers += len(r.Services[i].Servers)
	}
	return count(len(r.Services), "service") + ", " + count(servers, "server")
}

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
