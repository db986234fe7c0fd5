package netcfg

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// Prefix is how the names of IPVS's sysctls begin for sysctl(8).
const Prefix = "net.ipv4.vs."

// Host is the director's settings outside the table. Implementations are safe
// for concurrent use.
type Host interface {
	Sysctls

	// List gives every sysctl of IPVS that this kernel has, sorted by name.
	List() ([]Value, error)

	Modules() (Modules, error)
}

// Sysctls reads and changes sysctls by their files below /proc/sys:
// "net/ipv4/conf/eth0.7/rp_filter". A name without a slash is one of IPVS's,
// without Prefix. Errors are *Error.
type Sysctls interface {
	Get(name string) (string, error)

	// Set sets a value: what is read afterwards is Same.
	Set(name, value string) error
}

// Value is a sysctl as it is now.
type Value struct {
	Name, Value string
	ReadOnly    bool // not even root can change it here
}

// Differs tells that a value is known not to be the kernel's default.
func (v Value) Differs() bool {
	s, ok := Find(v.Name)
	return ok && s.Default != "" && !Same(v.Name, v.Value, s.Default)
}

// ErrAbsent is the answer for a sysctl that this kernel does not have.
var ErrAbsent = errors.New("this kernel has no such sysctl")

// Error is a refusal: which file, which value, which rule.
type Error struct {
	Name  string
	Value string // to be set; meaningless when only read
	Set   bool
	Rule  string // what it must be, or ""
	Err   error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Set {
		fmt.Fprintf(&b, "cannot set %s%s to %q", Prefix, e.Name, e.Value)
	} else {
		fmt.Fprintf(&b, "cannot read %s%s", Prefix, e.Name)
	}
	fmt.Fprintf(&b, " (%s)", dir+e.Name)
	if e.Rule != "" {
		b.WriteString(": " + e.Rule)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap lets errors.Is find the reason.
func (e *Error) Unwrap() error { return e.Err }

// refused gives an errno its meaning.
func refused(e Error, err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = ErrAbsent
	case errors.Is(err, unix.EROFS), errors.Is(err, fs.ErrPermission):
		err = ipvs.ErrPermission
	case errors.As(err, &errno):
		err = fmt.Errorf("the kernel refuses it: %w", errno)
		if s, ok := Find(e.Name); ok {
			e.Rule = s.Rule
		}
	}
	e.Err = err
	return &e
}
