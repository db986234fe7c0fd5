package setup

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ParseSession reads SSH_CONNECTION: the client's address and port, then the
// server's.
func ParseSession(text string) (*Session, error) {
	words := strings.Fields(text)
	if len(words) != 4 {
		return nil, fmt.Errorf("SSH_CONNECTION %q: must be two addresses with their ports", text)
	}
	client, err := netip.ParseAddr(words[0])
	if err != nil {
		return nil, fmt.Errorf("SSH_CONNECTION: %w", err)
	}
	server, err := netip.ParseAddr(words[2])
	if err != nil {
		return nil, fmt.Errorf("SSH_CONNECTION: %w", err)
	}
	port, err := strconv.ParseUint(words[3], 10, 16)
	if err != nil {
		return nil, fmt.Errorf("SSH_CONNECTION: port %w", err)
	}
	return &Session{Client: client.Unmap(), Server: netip.AddrPortFrom(server.Unmap(), uint16(port))}, nil
}

// FindSession finds the SSH session that a process is part of, or nil. sudo takes
// SSH_CONNECTION out of the environment: then a process above still has it.
func FindSession(pid int) *Session { return findSession("/proc", pid) }

func findSession(proc string, pid int) *Session {
	for pid > 1 {
		at := filepath.Join(proc, strconv.Itoa(pid))
		environment, _ := os.ReadFile(filepath.Join(at, "environ"))
		for _, variable := range strings.Split(string(environment), "\x00") {
			if text, ok := strings.CutPrefix(variable, "SSH_CONNECTION="); ok {
				if s, err := ParseSession(text); err == nil {
					return s
				}
			}
		}
		stat, _ := os.ReadFile(filepath.Join(at, "stat"))
		pid = parent(string(stat))
	}
	return nil
}

// parent is the second field after the name, which may have anything in it
// (proc(5)); 0 when there is none.
func parent(stat string) int {
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	if len(fields) < 2 {
		return 0
	}
	pid, _ := strconv.Atoi(fields[1])
	return pid
}
