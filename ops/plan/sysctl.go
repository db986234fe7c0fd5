package plan

import (
	"context"
	"errors"
	"strings"

	"lvsdeck/netcfg"
)

// ChangeSysctl sets a sysctl of IPVS.
type ChangeSysctl struct {
	Name          string // without net.ipv4.vs.
	Before, After string
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
		items = []Item{{Step: ChangeSysctl{before.Name, before.Value, value}, Reason: reason}}
	}
	return titled("set", "sysctl", items), nil
}

// Row is the sysctl.
func (s ChangeSysctl) Row() string { return netcfg.Prefix + s.Name }

// String says from what to what.
func (s ChangeSysctl) String() string {
	return "set " + s.Row() + ": " + sysctlText(s.Before) + " to " + sysctlText(s.After)
}

func sysctlText(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}

// Command is sysctl(8)'s.
func (s ChangeSysctl) Command() string {
	value := s.After
	if strings.Trim(value, "0123456789,-") != "" {
		value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return "sysctl -w " + s.Row() + "=" + value
}

// Counts is one change.
func (s ChangeSysctl) Counts() Counts { return Counts{Change: 1} }

// Undo swaps before and after.
func (s ChangeSysctl) Undo() Step { return ChangeSysctl{s.Name, s.After, s.Before} }

// Done compares with After.
func (s ChangeSysctl) Done(_ context.Context, t Target) (bool, error) {
	now, err := s.now(t)
	return err == nil && netcfg.Same(s.Name, now, s.After), err
}

// Do sets it.
func (s ChangeSysctl) Do(_ context.Context, t Target) error {
	now, err := s.now(t)
	switch {
	case err != nil:
		return err
	case netcfg.Same(s.Name, now, s.After):
		return ErrAlready
	case !netcfg.Same(s.Name, now, s.Before):
		return &Moved{Row: s.Row(), Differences: []Difference{{"it", sysctlText(s.Before), sysctlText(now)}}}
	}
	return t.Sysctls.Set(s.Name, s.After)
}

func (s ChangeSysctl) now(t Target) (string, error) {
	if t.Sysctls == nil {
		return "", errors.New("the sysctls of this host are out of reach here")
	}
	return t.Sysctls.Get(s.Name)
}
