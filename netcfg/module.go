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
	return Shell{Has: "test -d /sys/module/" + m.Name, Add: "modprobe " + m.Name, Remove: ":"}
}

var moduleName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Check wants a module's name.
func (m Module) Check() error {
	if !moduleName.MatchString(m.Name) {
		return fmt.Errorf("module %q: must be small letters, digits, - and _", m.Name)
	}
	return nil
}
