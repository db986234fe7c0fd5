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

func whoAt(proc string, pid int, getenv func(string) string) Who {
	var w Who
	for _, name := range []string{"SUDO_USER", "LOGNAME", "USER"} {
		if w.User = getenv(name); w.User != "" {
			break
		}
	}
	_, _ = fmt.Sscan(connectionAt(proc, pid, getenv), &w.From) // the first word
	return w
}

// SSHConnection is what sshd says of the session that this process is part of: the
// client's address and port and the server's, or "".
func SSHConnection() string { return connectionAt("/proc", os.Getpid(), os.Getenv) }

// connectionAt looks into a process's environment. sudo takes the variable out,
// its own environment has it: then that of the processes before this one is looked
// at, which takes root.
func connectionAt(proc string, pid int, getenv func(string) string) string {
	connection := getenv("SSH_CONNECTION")
	for range maxParents {
		if pid = parent(proc, pid); connection != "" || pid <= 1 {
			break
		}
		connection = environ(proc, pid, "SSH_CONNECTION")
	}
	return connection
}

// maxParents is more than there are between a login and what is typed there.
const maxParents = 32

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
