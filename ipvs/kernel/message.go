package kernel

import "golang.org/x/sys/unix"

// request is what is asked of a generic netlink family.
type request struct {
	family uint16
	cmd    uint8
	flags  uint16 // unix.NLM_F_ACK for a change, NLM_F_DUMP for a list, 0 for one thing
	attrs  []byte // as configure_*.go write them

	// fenced sends an empty message behind, which the kernel always answers:
	// netlink_rcv_skb answers nothing at all to a command that ended in EINTR.
	fenced bool
}

// version is of the families IPVS and nlctrl alike: it has never mattered.
const version = 1

// write writes the request as message seq, and the fence, if any, as fence.
func (r request) write(w *writer, seq, fence uint32) {
	at := w.begin(r.family, r.cmd, r.flags, seq)
	w.buf = append(w.buf, r.attrs...)
	w.end(at)
	if r.fenced {
		w.end(w.header(unix.NLMSG_NOOP, unix.NLM_F_ACK, fence))
	}
}

// reply is a message of the kernel's.
type reply struct {
	kind, flags uint16
	seq, port   uint32
	body        []byte
}

// cut takes the first message off a piece, which holds any number of them.
func cut(piece []byte) (m reply, rest []byte, err error) {
	if len(piece) < unix.SizeofNlMsghdr {
		return m, nil, errMalformed
	}
	length := int(native.Uint32(piece))
	if length < unix.SizeofNlMsghdr || length > len(piece) {
		return m, nil, errMalformed
	}
	m = reply{
		kind: native.Uint16(piece[4:]), flags: native.Uint16(piece[6:]),
		seq: native.Uint32(piece[8:]), port: native.Uint32(piece[12:]),
		body: piece[unix.SizeofNlMsghdr:length],
	}
	return m, piece[min(aligned(length), len(piece)):], nil
}

// errno reads what NLMSG_ERROR and NLMSG_DONE say: a refusal, or nil when it is
// but the end.
func (m reply) errno() error {
	if len(m.body) < 4 {
		if m.kind == unix.NLMSG_DONE {
			return nil
		}
		return errMalformed
	}
	if errno := -int32(native.Uint32(m.body)); errno > 0 {
		return refusal(errno)
	}
	return nil
}

// answer reads the answer to one request, piece by piece.
type answer struct {
	seq, fence, port uint32
	each             func(message []byte) error
}

// read reads one piece. What answers another request, or is for another socket,
// is passed over. NLM_F_DUMP_INTR (the list changed while it was made) is, too:
// the list is as good as the next one.
func (a *answer) read(piece []byte) (done bool, err error) {
	for len(piece) > 0 && !done && err == nil {
		var m reply
		if m, piece, err = cut(piece); err != nil {
			return false, err
		}
		switch {
		case m.port != a.port || m.seq != a.seq && m.seq != a.fence:
		case m.seq == a.fence: // there will be no answer
			return false, refusal(unix.EINTR)
		default:
			done, err = a.message(m)
		}
	}
	return done, err
}

func (a *answer) message(m reply) (done bool, err error) {
	switch m.kind {
	case unix.NLMSG_NOOP:
		return false, nil
	case unix.NLMSG_OVERRUN:
		return false, errLost
	case unix.NLMSG_DONE, unix.NLMSG_ERROR:
		return true, m.errno()
	}
	if len(m.body) < genlHeader {
		return false, errMalformed
	}
	return m.flags&unix.NLM_F_MULTI == 0, a.each(m.body[genlHeader:])
}

// genlHeader is the size of struct genlmsghdr.
const genlHeader = 4
