package block

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// sshPort is where sshd listens unless it is told otherwise.
const sshPort = 22

// Peers are the far ends of the SSH connections to this host, whoever's they are: of
// what processes of sshd hold, and of what comes to a port on which one listens, to
// 22, or to the port given (0: none). An environment can tell where the operator came
// from an hour ago, or nothing: that of tmux's server, that which sudo leaves.
func Peers(port uint16) ([]netip.Addr, error) { return peersIn("/proc", port) }

// peersIn reads proc_pid_net(5) and proc_pid_fd(5). Whose sockets are takes root.
func peersIn(proc string, port uint16) ([]netip.Addr, error) {
	var all []socket
	for _, name := range []string{"tcp", "tcp6"} {
		of, err := socketsOf(filepath.Join(proc, "thread-self", "net", name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // without IPv6 there is no tcp6
			return nil, fmt.Errorf("cannot tell where SSH sessions come from: %w", err)
		}
		all = append(all, of...)
	}
	held := heldBySSH(proc)
	ports := map[uint16]bool{sshPort: true, port: port != 0}
	for _, s := range all {
		if s.state == listening && held[s.inode] {
			ports[s.local] = true
		}
	}
	var peers []netip.Addr
	for _, s := range all {
		if s.state == established && !s.peer.IsLoopback() && (held[s.inode] || ports[s.local]) {
			peers = append(peers, s.peer)
		}
	}
	slices.SortFunc(peers, netip.Addr.Compare)
	return slices.Compact(peers), nil
}

// socket is one of TCP, as proc_pid_net(5) has it.
type socket struct {
	local uint16
	peer  netip.Addr
	state uint64
	inode string
}

// The kernel's numbers of states, include/net/tcp_states.h.
const (
	established = 1
	listening   = 10
)

// socketsOf reads those of a file that listen or are established.
func socketsOf(file string) (all []socket, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	for head := true; ; head = false {
		line, err := in.ReadString('\n')
		if words := strings.Fields(line); !head && len(words) >= 10 {
			s := socket{inode: words[9]}
			_, port, _ := strings.Cut(words[1], ":")
			local, wrong := strconv.ParseUint(port, 16, 16)
			state, wrongState := strconv.ParseUint(words[3], 16, 8)
			s.local, s.state, s.peer = uint16(local), state, addressOf(words[2])
			if cmp.Or(wrong, wrongState) != nil || !s.peer.IsValid() {
				return nil, fmt.Errorf("%s: %q is no socket", file, strings.TrimSpace(line))
			}
			if state == established || state == listening {
				all = append(all, s)
			}
		}
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// addressOf reads words of 32 bits in the host's order, and a port.
func addressOf(text string) netip.Addr {
	digits, _, _ := strings.Cut(text, ":")
	var bytes []byte
	for ; len(digits) >= 8; digits = digits[8:] {
		word, err := strconv.ParseUint(digits[:8], 16, 32)
		if err != nil {
			return netip.Addr{}
		}
		bytes = binary.NativeEndian.AppendUint32(bytes, uint32(word))
	}
	a, _ := netip.AddrFromSlice(bytes)
	return a.Unmap()
}

// heldBySSH are the inodes of sockets that processes of sshd hold: sshd, and since
// OpenSSH 9.8 sshd-session and sshd-auth.
func heldBySSH(proc string) map[string]bool {
	held := map[string]bool{}
	processes, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "comm"))
	for _, comm := range processes {
		name, _ := os.ReadFile(comm)
		if n := strings.TrimSpace(string(name)); n != "sshd" && !strings.HasPrefix(n, "sshd-") && n != "dropbear" {
			continue
		}
		open, _ := filepath.Glob(filepath.Join(filepath.Dir(comm), "fd", "*"))
		for _, fd := range open {
			to, _ := os.Readlink(fd)
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				held[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	return held
}
