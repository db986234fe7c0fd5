package plan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lvsdeck/netcfg"
)

// ChangeSysctl sets a sysctl.
type ChangeSysctl struct {
	Name          string // by netcfg.Sysctls: one of IPVS's, or a file below /proc/sys
	Before, After string

	// Along are the sysctls that the kernel changes along with it, as they were
	// before. On the way back they are set again, after it.
	Along map[string]string `json:",omitempty"`
	Back  bool              `json:",omitempty"`
}

func init() { Register("sysctl", ChangeSysctl{}) }

// SetSysctl sets a sysctl of IPVS that had a value when it was looked at.
func SetSysctl(before netcfg.Value, value string) (Plan, error) {
	if err := netcfg.Check(before.Name, value); err != nil {
		return Plan{}, err
	}
	var items []Item
	if !netcfg.Same(before.Name, before.Value, value) {
		reason := "This kernel has it; what it does is not known here."
		if s, ok := netcfg.Find(before.Name); ok {
			reason = s.About
		}
		items = []Item{{Step: ChangeSysctl{Name: before.Name, Before: before.Value, After: value}, Reason: reason}}
	}
	return titled("set", "sysctl", items), nil
}

// ReadSysctl makes the step that sets a sysctl from what it is now.
func ReadSysctl(s netcfg.Sysctls, name, value string) (ChangeSysctl, error) {
	now, err := s.Get(name)
	if err != nil {
		return ChangeSysctl{}, err
	}
	along, err := s.Along(name)
	return ChangeSysctl{Name: name, Before: now, After: value, Along: along}, err
}

// Row is the sysctl.
func (s ChangeSysctl) Row() string { return netcfg.Dotted(s.Name) }

// String says from what to what. Of one that has its value already, as a set-up
// may need it, it says that it keeps it.
func (s ChangeSysctl) String() string {
	if s.Before == s.After {
		return "keep " + s.Row() + " at " + sysctlText(s.After)
	}
	words := "set " + s.Row() + ": " + sysctlText(s.Before) + " to " + sysctlText(s.After)
	if s.Back && len(s.Along) > 0 {
		words += fmt.Sprintf(", and what changed along with it (%d) to what it was", len(s.Along))
	}
	return words
}

func sysctlText(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}

// Command is sysctl(8)'s, in the order of what is set.
func (s ChangeSysctl) Command() string {
	var lines []string
	for _, v := range s.sets() {
		lines = append(lines, "sysctl -w "+Quoted(netcfg.Dotted(v.Name))+"="+Quoted(v.Value))
	}
	return strings.Join(lines, "\n")
}

// Quoted is a word as a shell takes it for one.
func Quoted(word string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("_./,@-", r)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// sets is what is set, in order.
func (s ChangeSysctl) sets() []netcfg.Value {
	all := []netcfg.Value{{Name: s.Name, Value: s.After}}
	if s.Back {
		for _, name := range slices.Sorted(maps.Keys(s.Along)) {
			all = append(all, netcfg.Value{Name: name, Value: s.Along[name]})
		}
	}
	return all
}

// Counts is one change.
func (s ChangeSysctl) Counts() Counts { return Counts{Change: 1} }

// Undo swaps before and after.
func (s ChangeSysctl) Undo() Step {
	s.Before, s.After, s.Back = s.After, s.Before, !s.Back
	return s
}

// Done compares with what is set. A link comes and goes with its sysctls: with the
// link, what was set is gone, too.
func (s ChangeSysctl) Done(_ context.Context, t Target) (bool, error) {
	if t.Sysctls == nil {
		return false, errNoSysctls
	}
	for i, v := range s.sets() {
		now, err := t.Sysctls.Get(v.Name)
		switch {
		case errors.Is(err, netcfg.ErrAbsent) && (i > 0 || s.Back):
		case errors.Is(err, netcfg.ErrAbsent): // its link may be one of the steps before
			return false, nil
		case err != nil:
			return false, err
		case !netcfg.Same(v.Name, now, v.Value):
			return false, nil
		}
	}
	return true, nil
}

// Do sets them. Those along count for nothing in whether it has moved: a kill
// may have come between two of them.
func (s ChangeSysctl) Do(ctx context.Context, t Target) error {
	done, err := s.Done(ctx, t)
	switch {
	case err != nil:
		return err
	case done:
		return ErrAlready
	}
	if err := s.remembers(t); err != nil {
		return err
	}
	now, err := t.Sysctls.Get(s.Name)
	switch {
	case err != nil:
		return err
	case !netcfg.Same(s.Name, now, s.Before) && !netcfg.Same(s.Name, now, s.After):
		return &Moved{Row: s.Row(), Differences: []Difference{{"it", sysctlText(s.Before), sysctlText(now)}}}
	}
	for i, v := range s.sets() {
		if err := t.Sysctls.Set(v.Name, v.Value); err != nil && (i == 0 || !errors.Is(err, netcfg.ErrAbsent)) {
			return err
		}
	}
	return nil
}

// remembers refuses what could not be taken back.
func (s ChangeSysctl) remembers(t Target) error {
	if s.Along != nil {
		return nil
	}
	others, err := t.Sysctls.Along(s.Name)
	if err == nil && len(others) > 0 {
		err = fmt.Errorf("%s changes %d others along with it, and this step does not know what they were", s.Row(), len(others))
	}
	return err
}

var errNoSysctls = errors.New("the sysctls of this host are out of reach here")
