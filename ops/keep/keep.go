package keep

import (
	"context"
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

// Language is how rules are kept: ipvsadm's.
var Language = persist.Language{Write: adm.WriteRules, Read: adm.ReadRules}

// Saved is rules that were kept.
type Saved struct {
	Name  string // of the file, or what else it is called
	Time  time.Time
	Rules ipvs.Rules
}

// Open reads and checks a whole file. A mistake is named by file, line and
// column.
func Open(path string) (Saved, error) {
	rules, written, err := Language.ReadFile(path)
	return Saved{path, written, rules}, err
}

// Read does the same with what has no name of its own.
func Read(r io.Reader, name string) (Saved, error) {
	rules, err := adm.ReadRules(r)
	var mistakes adm.Mistakes
	if errors.As(err, &mistakes) {
		err = mistakes.In(name)
	}
	return Saved{Name: name, Rules: rules}, err
}

// Save writes the running rules to a file, whole or not at all.
func Save(ctx context.Context, t ipvs.Table, path string) (ipvs.Rules, error) {
	rules, err := running(ctx, t)
	if err != nil {
		return rules, err
	}
	return rules, persist.WriteFile(path, func(w io.Writer) error { return adm.WriteRules(w, rules) })
}

// Print writes the running rules to w.
func Print(ctx context.Context, t ipvs.Table, w io.Writer) error {
	rules, err := running(ctx, t)
	if err != nil {
		return err
	}
	return adm.WriteRules(w, rules)
}

// running reads rules to be saved. Those that could not be restored, as other
// programs may make them, are refused: a file that looks like a save and is
// none would be found out at the next boot.
func running(ctx context.Context, t ipvs.Table) (ipvs.Rules, error) {
	rules, err := persist.ReadRules(ctx, t)
	if err != nil {
		return rules, err
	}
	return rules, restorable(check.OfRules(rules))
}

// mostProblems is as many as one can read.
const mostProblems = 20

func restorable(problems []check.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("not saved, because it could not be restored:")
	for _, p := range problems[:min(len(problems), mostProblems)] {
		b.WriteString("\n" + p.Error())
	}
	if more := len(problems) - mostProblems; more > 0 {
		fmt.Fprintf(&b, "\nand %d more", more)
	}
	return errors.New(b.String())
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
