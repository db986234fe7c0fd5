package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// Connections opens the table of connections of the namespace: ip_vs_conn, or
// ip_vs_conn_sync, which has the connections' origin instead of what persistence
// engines know.
func (n *Namespace) Connections(origin bool) (io.ReadCloser, error) {
	path := "/proc/thread-self/net/ip_vs_conn"
	if origin {
		path += "_sync"
	}
	var file *os.File
	err := n.Do(func() (err error) {
		file, err = os.Open(path)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = ipvs.ErrUnavailable
	}
	if err != nil {
		return nil, &ipvs.Error{Op: ipvs.OpListConns, Kind: err}
	}
	return file, nil
}

// ReadCost is about how long reading so many connections keeps a processor of
// this host busy. Since Linux 6.14 each costs the same; before, the kernel looks
// for the beginning of each page from the table's own beginning
// (ip_vs_conn_array). The figures are after those of the kernel's change
// 178883fd039d, and mean no more than seconds, minutes or an hour.
func (n *Namespace) ReadCost(conns uint64) time.Duration {
	cost := float64(conns) * 2.3e-6
	if !sinceLinux(6, 14) {
		cost += float64(conns) * float64(conns) * 2e-9
	}
	return time.Duration(cost * float64(time.Second))
}

// sinceLinux tells whether the kernel is of a version or newer.
func sinceLinux(major, minor int) bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	var isMajor, isMinor int
	if n, _ := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &isMajor, &isMinor); n != 2 {
		return false
	}
	return isMajor > major || isMajor == major && isMinor >= minor
}

// Conns reads a connection table as a stream: a copy of /proc/net/ip_vs_conn or
// ip_vs_conn_sync, or the file itself. It holds one buffer. A line that is not as
// the kernel writes it is counted and passed over.
//
// The file is not one moment. It is in the order of the kernel's hash of client
// address and port, so that its beginning is a fair sample of it.
type Conns struct {
	Read Count // so far

	// ClientsOnly leaves virtual addresses and servers out, and what is wrong with
	// them: nobody asks for them. That saves a quarter of the work.
	ClientsOnly bool

	in       io.Reader
	buffer   []byte
	at, end  int // of what was read and not handed out
	err      error
	skipping bool // the rest of a line that is longer than the buffer
	states   states
}

// Count is how much was read.
type Count struct {
	Bytes, Lines uint64
	Bad          uint64 // lines that were passed over
	FirstBad     error  // says why, of the first of them
}

// connBuffer is for copies of the table; /proc gives a page at a time.
const connBuffer = 256 << 10

// NewConns reads from the beginning of a file, or from where its title was cut
// off. The caller closes it.
func NewConns(in io.Reader) *Conns { return &Conns{in: in, buffer: make([]byte, connBuffer)} }

// Next reads the next connection, or gives false at the end.
func (r *Conns) Next(c *Conn) bool {
	for {
		// The end of a line of IPv4 is where the kernel's layout puts it.
		if rest := r.buffer[r.at:r.end]; len(rest) > shortLine+originField+1 && !r.skipping {
			n := shortLine
			if rest[n] != '\n' {
				n += originField + 1
			}
			if rest[n] == '\n' && r.quick(c, rest[:n:n]) {
				if c.StateNumber == 0 {
					c.StateNumber = r.states.meet(c.State)
				}
				r.at += n + 1
				r.Read.Lines++
				return true
			}
		}
		line, more := r.line()
		if !more {
			return false
		}
		r.Read.Lines++
		if r.quick(c, line) || r.slow(c, line) {
			c.StateNumber = r.states.meet(c.State)
			return true
		}
	}
}

// Err is why reading ended, nil at the end of the file.
func (r *Conns) Err() error {
	if r.err == io.EOF {
		return nil
	}
	return r.err
}

// slow reads a line that quick does not understand.
func (r *Conns) slow(c *Conn, line []byte) bool {
	if title := bytes.HasPrefix(line, []byte("Pro ")); title || len(line) == 0 {
		return false
	}
	words := row{rest: line}
	c.Line = line
	if c.parse(&words); words.want == "" {
		return true
	}
	if r.Read.Bad++; r.Read.Bad == 1 {
		r.Read.FirstBad = fmt.Errorf("line %d: expected %s, found %.*q", r.Read.Lines, words.want, enough, words.got)
	}
	return false
}

// line gives the next line without its end.
func (r *Conns) line() ([]byte, bool) {
	for {
		rest := r.buffer[r.at:r.end]
		if n := bytes.IndexByte(rest, '\n'); n >= 0 {
			r.at += n + 1
			if r.skipping {
				r.skipping = false
				continue
			}
			return rest[:n:n], true
		}
		if r.err != nil {
			r.at = r.end
			return rest, r.err == io.EOF && len(rest) > 0 && !r.skipping
		}
		r.fill()
	}
}

// fill makes room and reads on.
func (r *Conns) fill() {
	kept := copy(r.buffer, r.buffer[r.at:r.end])
	r.at, r.end = 0, kept
	if kept == len(r.buffer) { // a line without an end
		if !r.skipping {
			r.skipping = true
			r.Read.Lines++
			if r.Read.Bad++; r.Read.Bad == 1 {
				r.Read.FirstBad = fmt.Errorf("line %d: it is longer than %d bytes", r.Read.Lines, len(r.buffer))
			}
		}
		r.end = 0
	}
	var n int
	n, r.err = r.in.Read(r.buffer[r.end:])
	r.end += n
	r.Read.Bytes += uint64(n)
}
