package kernel

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// request is what is asked of a generic netlink family.
type request struct {
	family uint16
	cmd    uint8
	flags  int // unix.NLM_F_ACK for a change, NLM_F_DUMP for a list, 0 for one thing
	attrs  []*nl.RtAttr

	// fenced sends an empty message behind, which the kernel always answers:
	// netlink_rcv_skb answers nothing at all to a command that ended in EINTR.
	fenced bool
}

// version is of the families IPVS and nlctrl alike: it has never mattered.
const version = 1

// genlHeader is struct genlmsghdr: command, version and two reserved bytes,
// which nl.Genlmsg would fill with whatever follows it in memory.
type genlHeader [4]byte

func (h *genlHeader) Len() int          { return len(h) }
func (h *genlHeader) Serialize() []byte { return h[:] }

// encode gives the message and its sequence number, which no other message of
// this process has. That of the fence is 0 when there is none.
func (r request) encode() (message []byte, seq, fence uint32) {
	m := nl.NewNetlinkRequest(int(r.family), r.flags)
	m.AddData(&genlHeader{r.cmd, version})
	for _, a := range r.attrs {
		m.AddData(a)
	}
	message = m.Serialize()
	if r.fenced {
		f := nl.NewNetlinkRequest(unix.NLMSG_NOOP, unix.NLM_F_ACK)
		message, fence = append(message, f.Serialize()...), f.Seq
	}
	return message, m.Seq, fence
}

// answer reads the answer to one request, piece by piece.
type answer struct {
	seq, fence, port uint32
	each             func(message []byte) error
	done             bool
}

// read reads one piece, which holds any number of messages. What answers another
// request, or is for another socket, is passed over. NLM_F_DUMP_INTR (the list
// changed while it was made) is, too: the list is as good as the next one.
func (a *answer) read(piece []byte) error {
	for len(piece) > 0 && !a.done {
		if len(piece) < unix.SizeofNlMsghdr {
			return errMalformed
		}
		length := int(native.Uint32(piece))
		if length < unix.SizeofNlMsghdr || length > len(piece) {
			return errMalformed
		}
		kind, flags := native.Uint16(piece[4:]), native.Uint16(piece[6:])
		seq, ours := native.Uint32(piece[8:]), native.Uint32(piece[12:]) == a.port
		body := piece[unix.SizeofNlMsghdr:length]
		piece = piece[min(aligned(length), len(piece)):]
		if !ours || seq != a.seq && seq != a.fence {
			continue
		}
		if seq == a.fence { // there will be no answer
			return refusal(unix.EINTR)
		}
		if err := a.message(kind, flags, body); err != nil {
			return err
		}
	}
	return nil
}

func (a *answer) message(kind, flags uint16, body []byte) error {
	switch kind {
	case unix.NLMSG_NOOP:
		return nil
	case unix.NLMSG_OVERRUN:
		return errLost
	case unix.NLMSG_DONE, unix.NLMSG_ERROR:
		a.done = true
		if len(body) < 4 {
			if kind == unix.NLMSG_DONE {
				return nil
			}
			return errMalformed
		}
		if errno := -int32(native.Uint32(body)); errno > 0 {
			return refusal(errno)
		}
		return nil
	}
	if len(body) < len(genlHeader{}) {
		return errMalformed
	}
	a.done = flags&unix.NLM_F_MULTI == 0
	return a.each(body[len(genlHeader{}):])
}
