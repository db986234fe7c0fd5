package persist

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Who is the person at the console.
type Who struct {
	User string `json:"user,omitempty"` // the login, not root
	From string `json:"from,omitempty"` // where the SSH session comes from
}

// String is "alice from 198.51.100.7".
func (w Who) String() string {
	user := w.User
	if user == "" {
		user = "somebody"
	}
	if w.From == "" {
		return user
	}
	return user + " from " + w.From
}

// WhoIsHere finds the person at this process.
func WhoIsHere() Who { return whoAt("/proc", os.Getpid(), os.Getenv) }

// whoAt finds the person in a process's environment. sudo keeps the login but
// seldom where the session comes from, which its own environment has: then that of
// the processes before this one is looked at, which takes root.
func whoAt(proc string, pid int, getenv func(string) string) Who {
	var w Who
	for _, name := range []string{"SUDO_USER", "LOGNAME", "USER"} {
		if w.User = getenv(name); w.User != "" {
			break
		}
	}
	w.From = source(getenv("SSH_CONNECTION"))
	for range maxParents {
		if pid = parent(proc, pid); w.From != "" || pid <= 1 {
			break
		}
		w.From = source(environ(proc, pid, "SSH_CONNECTION"))
	}
	return w
}

// maxParents is more than there are between a login and what is typed there.
const maxParents = 32

// source is the address that a session comes from: the first word.
func source(connection string) (from string) {
	_, _ = fmt.Sscan(connection, &from)
	return from
}

// parent is the process that began another, from proc_pid_stat(5); 0: not known.
func parent(proc string, pid int) int {
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
	// The name, in brackets, may itself hold brackets and blanks.
	rest := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if err != nil || len(rest) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(rest[1])
	return n
}

// environ is a variable of a process, as it was when that began.
func environ(proc string, pid int, name string) string {
	text, _ := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "environ"))
	for variable := range bytes.SplitSeq(text, []byte{0}) {
		if value, ok := strings.CutPrefix(string(variable), name+"="); ok {
			return value
		}
	}
	return ""
}
