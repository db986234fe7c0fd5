package kernel

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// writer appends messages and their attributes to one buffer, without allocating
// for each: a restore writes tens of thousands. It is attributes the other way
// round.
type writer struct{ buf []byte }

// written is what a configure function writes.
func written[T any](configure func(*writer, T), v T) []byte {
	var w writer
	configure(&w, v)
	return w.buf
}

// begin begins a message to a generic netlink family, without attributes yet.
func (w *writer) begin(family uint16, cmd uint8, flags uint16, seq uint32) (at int) {
	at = w.header(family, flags, seq)
	w.buf = append(w.buf, cmd, version, 0, 0) // struct genlmsghdr
	return at
}

// header writes struct nlmsghdr. Its length is known at end.
func (w *writer) header(kind, flags uint16, seq uint32) (at int) {
	at = len(w.buf)
	w.buf = native.AppendUint32(w.buf, unix.SizeofNlMsghdr)
	w.buf = native.AppendUint16(w.buf, kind)
	w.buf = native.AppendUint16(w.buf, unix.NLM_F_REQUEST|flags)
	w.buf = native.AppendUint32(w.buf, seq)
	w.buf = native.AppendUint32(w.buf, 0) // from: the kernel knows
	return at
}

func (w *writer) end(at int) { native.PutUint32(w.buf[at:], uint32(len(w.buf)-at)) }

// attr writes an attribute and gives the place of its value.
func (w *writer) attr(kind uint16, size int) []byte {
	b := native.AppendUint16(w.buf, uint16(unix.SizeofRtAttr+size))
	b = native.AppendUint16(b, kind)
	at := len(b)
	b = append(b, make([]byte, aligned(size))...)
	w.buf = b // once: each store here costs while garbage is collected
	return b[at : at+size]
}

// open begins an attribute that others are nested in.
func (w *writer) open(kind uint16) (at int) {
	at = len(w.buf)
	w.attr(kind, 0)
	return at
}

func (w *writer) close(at int) { native.PutUint16(w.buf[at:], uint16(len(w.buf)-at)) }

func (w *writer) u8(kind uint16, v uint8)     { w.attr(kind, 1)[0] = v }
func (w *writer) u16(kind, v uint16)          { native.PutUint16(w.attr(kind, 2), v) }
func (w *writer) u32(kind uint16, v uint32)   { native.PutUint32(w.attr(kind, 4), v) }
func (w *writer) be32(kind uint16, v uint32)  { binary.BigEndian.PutUint32(w.attr(kind, 4), v) }
func (w *writer) port(kind, v uint16)         { binary.BigEndian.PutUint16(w.attr(kind, 2), v) }
func (w *writer) text(kind uint16, s string)  { copy(w.attr(kind, len(s)+1), s) } // and a NUL
func (w *writer) bytes(kind uint16, b []byte) { copy(w.attr(kind, len(b)), b) }

// addr writes an address; that of an invalid one is empty.
func (w *writer) addr(kind uint16, a netip.Addr) {
	switch {
	case a.Is4():
		b := a.As4()
		w.bytes(kind, b[:])
	case a.Is6():
		b := a.As16()
		w.bytes(kind, b[:])
	default:
		w.bytes(kind, nil)
	}
}
