package adm

import (
	"bufio"
	"io"
	"slices"

	"lvsdeck/ipvs"
)

// WriteRules writes rules so that ReadRules gives them back and "ipvsadm -R"
// takes them: sorted, numbers only, one command a line, without comments, which
// ipvsadm does not know. What has no meaning is not written: the timeout of a
// persistence that is off, and the tunnel of a server that is not TUN.
func WriteRules(w io.Writer, r ipvs.Rules) error {
	sorted := r
	if !r.Sorted() {
		sorted.Services = slices.Clone(r.Services)
		for i := range sorted.Services {
			s := &sorted.Services[i]
			s.Servers = slices.Clone(s.Servers)
		}
		sorted.Daemons = slices.Clone(r.Daemons)
		sorted.Sort()
	}

	out := bufio.NewWriter(w)
	line := func(text []byte) {
		out.Write(text)
		out.WriteByte('\n')
	}
	var f Format
	var b []byte // of a line, used again for each
	if r.Timeouts != nil {
		line([]byte(f.Timeouts(*r.Timeouts)))
	}
	for _, d := range sorted.Daemons {
		line([]byte(f.Daemon(d)))
	}
	for _, s := range sorted.Services {
		b = f.appendService(b[:0], s.Service)
		line(b)
		for _, server := range s.Servers {
			b = f.appendServer(b[:0], s.ServiceID, server)
			line(b)
		}
	}
	return out.Flush()
}
