package adm

import (
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
)

// quick takes in a line in the form in which WriteRules writes most of them, when there
// is nothing to say about it. It leaves any other to read, with which it never
// disagrees: a large file is nearly all such lines, and to look for options in them and
// to remember their places takes most of its time.
func (f *file) quick(text string) bool { return f.quickServer(text) || f.quickService(text) }

// quickServer takes in "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 100".
func (f *file) quickServer(text string) bool {
	if (f.group.head == "" || !strings.HasPrefix(text, f.group.head)) && !f.quickGroup(text) {
		return false
	}
	server, rest, _ := strings.Cut(text[len(f.group.head):], " ")
	if len(rest) < len("-m -w 1") || rest[2:6] != " -w " {
		return false
	}
	var s ipvs.Server
	switch rest[:2] {
	case "-m":
		s.Forward = ipvs.Masq
	case "-g":
		s.Forward = ipvs.Direct
	default:
		return false
	}
	weight, err := strconv.ParseUint(rest[6:], 10, 31)
	s.Weight = uint32(weight)
	var ok bool
	if s.Addr, ok = withPort(server); !ok || err != nil {
		return false
	}
	id := f.rules.Services[f.group.place].ServiceID
	if s.Family() != id.Family || len(check.OfServer(id, s, false)) > 0 || f.twice(f.group.place, s.Addr) {
		return false
	}
	f.keepServer(f.group.place, s)
	return true
}

// group is how the lines of one service's servers begin, "-a -t 192.0.2.1:80 -r ", and
// where that service is.
type group struct {
	head  string
	place int
}

// quickGroup finds the service to which a line adds a server.
func (f *file) quickGroup(text string) (known bool) {
	id, rest, ok := quickID(text, "-a", " -r ")
	if !ok {
		return false
	}
	f.group = group{head: text[:len(text)-len(rest)]}
	if f.group.place, known = f.place[id]; !known {
		f.group = group{}
	}
	return known
}

// quickService takes in "-A -t 192.0.2.1:80 -s wlc".
func (f *file) quickService(text string) bool {
	id, scheduler, ok := quickID(text, "-A", " -s ")
	if _, twice := f.place[id]; !ok || twice {
		return false
	}
	s := ipvs.NewService(id)
	s.Scheduler = f.line.named(scheduler)
	if len(check.OfService(s)) > 0 {
		return false
	}
	f.begun = true
	f.keepService(s)
	return true
}

// quickID reads a command and its service of TCP or UDP, up to the option that follows.
func quickID(text, command, option string) (id ipvs.ServiceID, rest string, ok bool) {
	const begin = len("-a -t ")
	end := strings.Index(text, option)
	if end < begin || text[:2] != command {
		return id, "", false
	}
	var p ipvs.Protocol
	switch text[2:begin] {
	case " -t ":
		p = ipvs.TCP
	case " -u ":
		p = ipvs.UDP
	default:
		return id, "", false
	}
	at, ok := withPort(text[begin:end])
	return serviceAt(p, at), text[end+len(option):], ok
}
