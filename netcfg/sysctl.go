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

const (
	root = "/proc/sys/"   // shows the sysctls of the namespace of whoever opens them
	ours = "net/ipv4/vs/" // where IPVS's are
)

// Sysctls reads and changes sysctls by their files below /proc/sys:
// "net/ipv4/conf/eth0.7/rp_filter". Those of IPVS go by their last name alone.
// Errors are *Error.
type Sysctls interface {
	Get(name string) (string, error)

	// Set sets a value: what is read afterwards is Same.
	Set(name, value string) error

	// Along gives the sysctls that the kernel changes along with this one, as they
	// are now, by their names: with net/ipv4/ip_forward the forwarding of every
	// link. To give back what was, they must be set after it, one by one.
	Along(name string) (map[string]string, error)
}

const (
	ipForward  = "net/ipv4/ip_forward"
	forwardAll = "net/ipv4/conf/all/forwarding" // is the same
)

// along is what Along knows (Linux: inet_forward_change, addrconf_forward_change).
var along = map[string][]string{
	ipForward:                      {"net/ipv4/conf/*/forwarding", "net/ipv4/conf/all/accept_redirects"},
	forwardAll:                     {"net/ipv4/conf/*/forwarding", "net/ipv4/conf/all/accept_redirects"},
	"net/ipv6/conf/all/forwarding": {"net/ipv6/conf/*/forwarding"},
}

// isLed leaves out of along's matches the one that leads: setting it once more
// would change the others once more.
func isLed(name string) bool { return !strings.HasSuffix(name, "/all/forwarding") }

// isName keeps to files below /proc/sys.
func isName(name string) bool {
	return fs.ValidPath(name) && !strings.HasPrefix(name, ".")
}

// file is where a sysctl is.
func file(name string) string {
	if strings.Contains(name, "/") {
		return root + name
	}
	return root + ours + name
}

// Dotted is a sysctl's name as sysctl(8) has it: with dots, unless one is in the
// name of a link.
func Dotted(name string) string {
	switch {
	case !strings.Contains(name, "/"):
		return Prefix + name
	case strings.Contains(name, "."):
		return name
	}
	return strings.ReplaceAll(name, "/", ".")
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
		fmt.Fprintf(&b, "cannot set %s to %q", Dotted(e.Name), e.Value)
	} else {
		fmt.Fprintf(&b, "cannot read %s", Dotted(e.Name))
	}
	fmt.Fprintf(&b, " (%s)", file(e.Name))
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

// tidy is a value with one blank between its numbers.
func tidy(text string) string { return strings.Join(strings.Fields(text), " ") }
