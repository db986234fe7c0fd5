package netcfg

import (
	"fmt"
	"regexp"
)

// Module is a kernel module that is loaded or built in. It is never unloaded:
// with a tunnel's module would go tunnels of others.
type Module struct{ Name string }

func (Module) setting() {}

func (m Module) String() string { return "module " + m.Name }

// Shell uses modprobe(8).
func (m Module) Shell() Shell {
	return Shell{
		Has: fmt.Sprintf(`{ test -d /sys/module/%s || grep -q '/%[1]s\.ko$' "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null; }`, m.Name),
		Add: "modprobe " + m.Name, Remove: ":",
	}
}

var moduleName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_]{0,55}$`)

// Check wants a module's name.
func (m Module) Check() error {
	if !moduleName.MatchString(m.Name) {
		return fmt.Errorf("module %q: must be letters, digits and _", m.Name)
	}
	return nil
}
