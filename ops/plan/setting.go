package plan

import (
	"context"
	"errors"
	"slices"
	"strings"

	"lvsdeck/netcfg"
)

// ChangeSetting gives a host a setting, or takes it away.
type ChangeSetting[S netcfg.Setting] struct {
	Setting S
	Gone    bool `json:",omitempty"`
}

func init() {
	Register("address", ChangeSetting[netcfg.Address]{})
	Register("up", ChangeSetting[netcfg.Up]{})
	Register("dummy", ChangeSetting[netcfg.Dummy]{})
	Register("any-inside", ChangeSetting[netcfg.AnyInside]{})
	Register("gue", ChangeSetting[netcfg.GUE]{})
	Register("route", ChangeSetting[netcfg.Route]{})
	Register("rule", ChangeSetting[netcfg.Rule]{})
	Register("module", ChangeSetting[netcfg.Module]{})
	Register("filter", ChangeSetting[netcfg.Filter]{})
}

// Have is the step that gives a host a setting.
func Have[S netcfg.Setting](s S) Step { return ChangeSetting[S]{Setting: s} }

// Lack is the step that takes a setting away.
func Lack[S netcfg.Setting](s S) Step { return ChangeSetting[S]{Setting: s, Gone: true} }

// aroundIPVS tells these steps from those on the table.
func (ChangeSetting[S]) aroundIPVS() {}

// AroundIPVS tells that a plan changes the host around IPVS: its addresses, ways,
// rules of the firewall, sysctls of the network. That may cut off who does it.
func (p Plan) AroundIPVS() bool {
	return slices.ContainsFunc(p.Items, func(i Item) bool {
		if s, ok := i.Step.(ChangeSysctl); ok {
			return strings.Contains(s.Name, "/") // IPVS's own are names without a path
		}
		_, ok := i.Step.(interface{ aroundIPVS() })
		return ok
	})
}

// Row is the setting.
func (c ChangeSetting[S]) Row() string { return c.Setting.String() }

// String is what is done with it.
func (c ChangeSetting[S]) String() string {
	if c.Gone {
		return netcfg.Doing(netcfg.OpRemove, c.Setting)
	}
	return netcfg.Doing(netcfg.OpAdd, c.Setting)
}

// Command is the setting's for a shell.
func (c ChangeSetting[S]) Command() string {
	if c.Gone {
		return c.Setting.Shell().Remove
	}
	return c.Setting.Shell().Add
}

// Counts is one row.
func (c ChangeSetting[S]) Counts() Counts {
	if c.Gone {
		return Counts{Remove: 1}
	}
	return Counts{Add: 1}
}

// Undo is the other way round.
func (c ChangeSetting[S]) Undo() Step { return ChangeSetting[S]{c.Setting, !c.Gone} }

// Done asks the host. A module stays loaded: when it should be gone, all is done
// that ever will be.
func (c ChangeSetting[S]) Done(_ context.Context, t Target) (bool, error) {
	host, err := t.settings()
	if err != nil {
		return false, err
	}
	if _, module := any(c.Setting).(netcfg.Module); module && c.Gone {
		return true, nil
	}
	has, err := host.Has(c.Setting)
	return err == nil && has != c.Gone, err
}

// Do changes the host.
func (c ChangeSetting[S]) Do(ctx context.Context, t Target) error {
	done, err := c.Done(ctx, t)
	switch {
	case err != nil:
		return err
	case done:
		return ErrAlready
	case c.Gone:
		return t.Host.Remove(c.Setting)
	}
	return t.Host.Add(c.Setting)
}

func (t Target) settings() (netcfg.Settings, error) {
	if t.Host == nil {
		return nil, errors.New("the settings of this host are out of reach here")
	}
	return t.Host, nil
}
