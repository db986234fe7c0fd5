package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"lvsdeck/ops/demo"
	"lvsdeck/ops/keep"
	"lvsdeck/ui"
)

// demoSeed makes every demo the same one, so that what is written about it holds.
const demoSeed = 1

// demoFlag asks for a demo; without a value for an ordinary day.
func demoFlag(f *pflag.FlagSet, kind *string) {
	f.StringVar(kind, "demo", "", "show made-up traffic instead of this host's: "+demoKinds())
	f.Lookup("demo").NoOptDefVal = string(demo.Steady)
}

func demoKinds() string {
	var names []string
	for _, k := range demo.Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// made is a made-up director, with a directory for what it keeps.
type made struct {
	*demo.Demo
	dir string
}

func openDemo(name string) (m made, err error) {
	kind, err := demo.ParseKind(name)
	if err != nil {
		return m, err
	}
	m.Demo = demo.New(kind, demoSeed)
	m.dir, err = os.MkdirTemp("", "lvsdeck-demo-")
	return m, err
}

// Close removes what was kept.
func (m made) Close() { os.RemoveAll(m.dir) }

func (m made) rulesFile() string { return filepath.Join(m.dir, "ipvsadm.rules") }

// saveRules saves the rules, as they are on a director at rest.
func (m made) saveRules(ctx context.Context) error {
	_, err := keep.Save(ctx, m.Table(), m.rulesFile())
	return err
}

// lend puts the made-up host in the place of this one.
func (m made) lend(o *ui.Options) {
	o.Host, o.System, o.Conns, o.RulesFile = "director", m.Host(), m, m.rulesFile()
}
