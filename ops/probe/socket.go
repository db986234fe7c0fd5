package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ops/probe/wire"
)

// socket hears and sends what Ethernet carries, without its header: the kernel
// makes that, and for links without Ethernet leaves it out. Bound to one
// protocol it hears nothing that is sent, and each packet once: on the link that
// IP sees, not on the ports of a bridge or bond below.
type socket struct {
	file *os.File
	raw  syscall.RawConn
	kind uint16
}

// heard is a frame that came.
type heard struct {
	Type    uint16
	Link    int
	From    wire.MAC
	Payload []byte
	At      time.Time
}

// listen opens a socket for a protocol of Ethernet in the calling thread's
// network namespace, on one link or (0) on all. Of all that passes the filter
// lets through what is wanted; a busy director has a lot to pass.
func listen(kind uint16, link int, filter []unix.SockFilter) (*socket, error) {
	// Without a protocol it is deaf until the filter is there.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if errors.Is(err, unix.EPERM) {
		return nil, ErrPermission
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open a packet socket: %w", err)
	}
	s := &socket{file: os.NewFile(uintptr(fd), "packet socket"), kind: kind}
	s.raw, err = s.file.SyscallConn()
	if err == nil && filter != nil {
		err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: network(kind), Ifindex: link})
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("cannot listen on a packet socket: %w", err)
	}
	return s, nil
}

// network is a number in the order of bytes on the wire.
func network(n uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n))
}

func (s *socket) close() error { return s.file.Close() }

// send puts a frame on a link; unix.EMSGSIZE when it is too big for it.
func (s *socket) send(link int, f wire.Frame) error {
	to := &unix.SockaddrLinklayer{Protocol: network(f.Type), Ifindex: link, Halen: uint8(len(f.To))}
	copy(to.Addr[:], f.To[:])
	var err error
	if failed := s.raw.Write(func(fd uintptr) bool {
		err = unix.Sendto(int(fd), f.Payload, 0, to)
		return err != unix.EAGAIN
	}); failed != nil {
		return failed
	}
	return err
}

// receive waits for a frame. It ends with os.ErrClosed when the socket is
// closed.
func (s *socket) receive() (heard, error) {
	packet := make([]byte, 2048) // longer ones are cut, and nothing is missed of them
	for {
		var n int
		var from unix.Sockaddr
		var err error
		if failed := s.raw.Read(func(fd uintptr) bool {
			n, from, err = unix.Recvfrom(int(fd), packet, 0)
			return err != unix.EAGAIN
		}); failed != nil {
			return heard{}, failed
		}
		// A link that goes down is told once to whoever listens on it.
		if err == unix.ENETDOWN {
			continue
		}
		if err != nil {
			return heard{}, err
		}
		at, ok := from.(*unix.SockaddrLinklayer)
		if !ok || at.Pkttype == unix.PACKET_OTHERHOST || at.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		h := heard{Type: s.kind, Link: at.Ifindex, Payload: packet[:n], At: time.Now()}
		if at.Halen == uint8(len(h.From)) {
			copy(h.From[:], at.Addr[:])
		}
		return h, nil
	}
}

// The few instructions of classic BPF that the filters are made of. Loads count
// from the IP header.
const (
	loadByte     = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
	loadHalf     = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	loadByteX    = unix.BPF_LD | unix.BPF_B | unix.BPF_IND
	loadHalfX    = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
	sizeIPv4toX  = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH
	isEqual      = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	isGreater    = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	hasBits      = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	finish       = unix.BPF_RET | unix.BPF_K
	wholePacket  = 1 << 18
	fragmentPart = 0x1fff
)

// answers4 lets IPv4 through that may answer a probe: TCP to our port, echo
// replies and errors.
func answers4(port uint16) []unix.SockFilter {
	return []unix.SockFilter{
		{Code: loadHalf, K: 6},
		{Code: hasBits, K: fragmentPart, Jt: 10},
		{Code: sizeIPv4toX, K: 0},
		{Code: loadByte, K: 9},
		{Code: isEqual, K: wire.TCP, Jf: 2},
		{Code: loadHalfX, K: 2},
		{Code: isEqual, K: uint32(port), Jt: 6, Jf: 5},
		{Code: isEqual, K: wire.ICMP, Jf: 4},
		{Code: loadByteX, K: 0},
		{Code: isEqual, K: 0, Jt: 3},  // echo reply
		{Code: isEqual, K: 3, Jt: 2},  // unreachable
		{Code: isEqual, K: 11, Jt: 1}, // time exceeded
		{Code: finish, K: 0},
		{Code: finish, K: wholePacket},
	}
}

// answers6 is the same for IPv6.
func answers6(port uint16) []unix.SockFilter {
	return []unix.SockFilter{
		{Code: loadByte, K: 6},
		{Code: isEqual, K: wire.TCP, Jf: 2},
		{Code: loadHalf, K: 42},
		{Code: isEqual, K: uint32(port), Jt: 5, Jf: 4},
		{Code: isEqual, K: wire.ICMPv6, Jf: 3},
		{Code: loadByte, K: 40},
		{Code: isEqual, K: 129, Jt: 2}, // echo reply
		{Code: isGreater, K: 4, Jf: 1}, // below are the errors
		{Code: finish, K: 0},
		{Code: finish, K: wholePacket},
	}
}

// advertisements lets IPv6 neighbours' advertisements through.
func advertisements() []unix.SockFilter {
	return []unix.SockFilter{
		{Code: loadByte, K: 6},
		{Code: isEqual, K: wire.ICMPv6, Jf: 2},
		{Code: loadByte, K: 40},
		{Code: isEqual, K: 136, Jt: 1},
		{Code: finish, K: 0},
		{Code: finish, K: wholePacket},
	}
}
