package netcfg

import (
	"errors"
	"fmt"
)

// Setting is one thing that a host has or has not: an address, a route, a
// firewall rule. Settings are plain data, comparable, and written to the journal
// as they are. They are never changed: another value is another setting.
type Setting interface {
	comparableSetting

	// String names it in the operator's words: "address 203.0.113.10/32 on lo".
	String() string

	// Shell is the same for a shell, to learn from, to paste, and to make the
	// scripts for real servers of.
	Shell() Shell

	// Check refuses what no host can have, before it is asked.
	Check() error
}

// comparableSetting closes the set: Settings of a host knows each of them.
type comparableSetting interface{ setting() }

// Shell is a setting in lines for a POSIX shell, without output when all is well.
type Shell struct {
	Has    string // exits 0 when the host has it
	Add    string
	Remove string
}

// Settings is a host that can be given settings, and be rid of them. It checks
// them first. Errors are *SettingError.
type Settings interface {
	// Has tells whether the host has a setting; what would be on a link that is
	// not there it has not.
	Has(Setting) (bool, error)

	// Add gives the host a setting that it has not: whole, or not at all. It
	// answers ErrExists when the host has it.
	Add(Setting) error

	// Remove takes a setting away. It answers ErrMissing when the host has it not.
	// A module stays where it is.
	Remove(Setting) error
}

// Op is what is done with a setting.
type Op string

// The operations.
const (
	OpHas    Op = "look for"
	OpAdd    Op = "add"
	OpRemove Op = "remove"
)

// Doing says an operation in words: "add address 203.0.113.10/32 on lo", "switch
// on link tunl0".
func Doing(op Op, s Setting) string {
	switch s := s.(type) {
	case Up:
		switch op {
		case OpAdd:
			return "switch on link " + s.Link
		case OpRemove:
			return "switch off link " + s.Link
		}
	case Module:
		switch op {
		case OpAdd:
			return "load " + s.String()
		case OpRemove:
			return "leave " + s.String() + " loaded"
		}
	}
	return string(op) + " " + s.String()
}

// What a host can answer, besides ipvs.ErrPermission and ipvs.ErrNoDevice.
var (
	ErrExists     = errors.New("it is there already")
	ErrMissing    = errors.New("it is not there")
	ErrOther      = errors.New("something else has its place")
	ErrGateway    = errors.New("its gateway is not on a network of that interface, or the interface is switched off")
	ErrNoIPv6     = errors.New("IPv6 is switched off on that interface (disable_ipv6)")
	ErrNoModule   = errors.New("this kernel has no such module")
	ErrNoIPTables = errors.New("iptables is not on this host; install it")
	ErrRefused    = errors.New("the kernel refuses it")
)

// SettingError is a refusal: what was to be done, with which setting, and why.
type SettingError struct {
	Op      Op
	Setting Setting
	Err     error
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("cannot %s: %v", Doing(e.Op, e.Setting), e.Err)
}

// Unwrap lets errors.Is find the reason.
func (e *SettingError) Unwrap() error { return e.Err }

// change is how a host has, gets and loses one setting.
type change interface {
	has() (bool, error)
	add() error
	remove() error
}

// ask, give and take are what every Settings is made of.
func ask(s Setting, c change) (bool, error) {
	err := s.Check()
	has := false
	if err == nil {
		has, err = c.has()
	}
	return has, settingError(OpHas, s, err)
}

func give(s Setting, c change) error {
	has, err := ask(s, c)
	switch {
	case err != nil:
		err = errors.Unwrap(err)
	case has:
		err = ErrExists
	default:
		err = c.add()
	}
	return settingError(OpAdd, s, err)
}

func take(s Setting, c change) error {
	has, err := ask(s, c)
	switch {
	case err != nil:
		err = errors.Unwrap(err)
	case !has:
		err = ErrMissing
	default:
		err = c.remove()
	}
	return settingError(OpRemove, s, err)
}

func settingError(op Op, s Setting, err error) error {
	if err == nil {
		return nil
	}
	return &SettingError{op, s, err}
}

// family is a command for IPv4, or its other form for IPv6.
func family(command string, v6 bool) string {
	switch {
	case !v6:
		return command
	case command == "iptables":
		return "ip6tables"
	}
	return command + " -6"
}
