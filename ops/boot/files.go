package boot

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/setup"
	"lvsdeck/persist"
	"lvsdeck/persist/adm"
)

// files collects the steps from what is kept to what shall be.
type files struct {
	Place
	running ipvs.Rules
	kept    kept
	rules   *string // the text of the rules file; nil: there is none

	adds  bool
	steps []plan.Item
}

// draft reads the files, lets set-ups in and others go, and gives the steps.
func (k Keeper) draft(ctx context.Context, add []setup.Record, drop []ipvs.ServiceID) (p plan.Plan, err error) {
	f := files{Place: k.Place, adds: len(add) > 0}
	if f.adds {
		err = f.check()
	}
	if err != nil {
		return p, err
	}
	if f.running, err = persist.ReadRules(ctx, k.Book.Runner.Target.Table); err != nil {
		return p, err
	}
	if f.kept, err = f.read(); err != nil {
		return p, err
	}
	before, err := plan.ReadFile(f.Rules, nil, 0o600)
	if err != nil {
		return p, err
	}
	f.rules = before.Before
	for _, id := range drop {
		if err := f.drop(id); err != nil {
			return p, err
		}
	}
	for _, r := range add {
		if err := f.add(r); err != nil {
			return p, err
		}
	}
	err = f.collect()
	return plan.Plan{Title: title(add, drop), Items: f.steps}, err
}

func title(add []setup.Record, drop []ipvs.ServiceID) string {
	var names []string
	for _, r := range add {
		names = append(names, r.Wish.Service.String())
	}
	verb := "keep the set-up of "
	if len(names) == 0 {
		verb = "no longer keep the set-up of "
		for _, id := range drop {
			names = append(names, id.String())
		}
	}
	if len(names) > 1 {
		return fmt.Sprintf("%s%d services", verb, len(names))
	}
	return verb + strings.Join(names, "")
}

// add takes a set-up in, with its service as it runs now.
func (f *files) add(r setup.Record) error {
	e, err := newEntry(r)
	if err != nil {
		return err
	}
	now := f.now(e.Service)
	if now == nil {
		return fmt.Errorf("cannot keep the set-up of %s: the service is not in the table; set it up again", e.Service)
	}
	text := ""
	if f.rules == nil {
		if text, err = f.settings(); err != nil {
			return err
		}
		f.made(f.Rules)
	} else {
		text = *f.rules
	}
	has, err := f.has(text, e.Service)
	if err != nil {
		return err
	}
	e.InRules = has
	if text, err = keep.With(text, *now); err != nil {
		return f.named(err)
	}
	f.rules = &text
	f.kept.put(e)
	return nil
}

// settings are the lines of a new rules file besides services.
func (f *files) settings() (string, error) {
	var b strings.Builder
	err := adm.WriteRules(&b, ipvs.Rules{Timeouts: f.running.Timeouts, Daemons: f.running.Daemons})
	return b.String(), err
}

func (f *files) has(text string, id ipvs.ServiceID) (bool, error) {
	rules, err := adm.ReadRules(strings.NewReader(text))
	return slices.ContainsFunc(rules.Services, func(s ipvs.ServiceRules) bool { return s.ServiceID == id }), f.named(err)
}

// named says in which file a mistake is.
func (f *files) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s cannot be changed: %w", f.Rules, err)
}

func (f *files) now(id ipvs.ServiceID) *ipvs.ServiceRules {
	for i := range f.running.Services {
		if f.running.Services[i].ServiceID == id {
			return &f.running.Services[i]
		}
	}
	return nil
}

// drop lets a set-up go. Its service leaves the rules file, unless that had it
// before and it still runs: then others made it.
func (f *files) drop(id ipvs.ServiceID) error {
	i := f.kept.find(id)
	if i < 0 {
		return nil
	}
	e := f.kept.Setups[i]
	f.kept.Setups = slices.Delete(f.kept.Setups, i, i+1)
	if f.rules == nil {
		return nil
	}
	var text string
	var err error
	if now := f.now(id); now != nil && e.InRules {
		text, err = keep.With(*f.rules, *now)
	} else {
		text, err = keep.Without(*f.rules, id)
	}
	f.rules = &text
	return f.named(err)
}

func (f *files) made(path string) { f.kept.Made = append(f.kept.Made, path) }

// collect makes the steps. What is run at boot comes last and goes first.
func (f *files) collect() error {
	if len(f.kept.Setups) == 0 {
		return f.empty()
	}
	if err := f.dir(filepath.Dir(f.Place.kept()), 0o700); err != nil {
		return err
	}
	if f.adds && f.systemd() {
		if err := f.dir(filepath.Dir(f.link()), 0o755); err != nil {
			return err
		}
	}
	text, err := f.kept.text()
	if err != nil {
		return err
	}
	unit := f.unitText()
	if err := f.put(f.Place.kept(), text, 0o600, "It has the settings of this host that are brought back at boot."); err != nil {
		return err
	}
	if err := f.put(f.Rules, f.rules, 0o600, "It has the table as it is restored at boot; other services in it stay as they are."); err != nil || !f.adds || !f.systemd() {
		return err
	}
	if err := f.put(f.unit(), &unit, 0o644, "systemd runs it at boot, once the network is there."); err != nil {
		return err
	}
	target := unitDir + "/" + unitName
	return f.put(f.link(), &target, fs.ModeSymlink|0o777, "It enables the unit, as systemctl enable does.")
}

// empty removes all that is ours. A rules file that we made goes when no service is
// left in it.
func (f *files) empty() error {
	const reason = "Nothing is kept any more."
	rules := f.rules
	if rules != nil && slices.Contains(f.kept.Made, f.Rules) {
		if left, err := adm.ReadRules(strings.NewReader(*rules)); err == nil && len(left.Services) == 0 {
			rules = nil
		}
	}
	for _, one := range []struct {
		path string
		text *string
		mode fs.FileMode
	}{{f.link(), nil, fs.ModeSymlink}, {f.unit(), nil, 0o644}, {f.Rules, rules, 0o600}, {f.Place.kept(), nil, 0o600}} {
		if err := f.put(one.path, one.text, one.mode, reason); err != nil {
			return err
		}
	}
	for _, dir := range slices.Backward(f.kept.Made) {
		if dir == f.Rules {
			continue
		}
		if err := f.put(dir, nil, fs.ModeDir|0o700, reason); err != nil {
			return err
		}
	}
	return nil
}

// dir makes a directory that is not there.
func (f *files) dir(path string, mode fs.FileMode) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f.made(path)
	none := ""
	return f.put(path, &none, fs.ModeDir|mode, "It is for the next files.")
}

func (f *files) put(path string, text *string, mode fs.FileMode, reason string) error {
	s, err := plan.ReadFile(path, text, mode)
	if err == nil && !s.Same() {
		f.steps = append(f.steps, plan.Item{Step: s, Reason: reason})
	}
	return err
}
