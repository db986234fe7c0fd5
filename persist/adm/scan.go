package adm

import "strings"

// scanner finds options among arguments the way popt does: short ones in
// bundles, values attached, after "=" or in the next argument, and other
// arguments anywhere between.
type scanner struct {
	args   []string
	next   int    // the first argument not looked at
	bundle string // what is left of a bundle of short options
	ended  bool   // "--" was seen
	rest   []int  // the arguments that are no options

	found use // by the scan before
}

// use is an option where it is used.
type use struct {
	*option
	value string
	given bool // a value is there
	arg   int  // where the value is, or else the option
}

// last is the place of the argument looked at last.
func (s *scanner) last() int { return max(0, s.next-1) }

// lastText is that argument, which popt names in its complaints as a whole.
func (s *scanner) lastText() string {
	if s.next == 0 {
		return ""
	}
	return s.args[s.next-1]
}

// scan gives the next option, good until the next scan, or none at the end.
func (s *scanner) scan() (*use, *Error) {
	for s.bundle == "" {
		if s.next == len(s.args) {
			return nil, nil
		}
		arg := s.args[s.next]
		s.next++
		switch {
		case s.ended || len(arg) < 2 || arg[0] != '-':
			s.rest = append(s.rest, s.last())
		case arg == "--":
			s.ended = true
		case arg[1] == '-':
			name, value, attached := strings.Cut(arg[2:], "=")
			return s.take(findLong(name), value, attached)
		default:
			s.bundle = arg[1:]
		}
	}
	found := findShort(s.bundle[0])
	s.bundle = s.bundle[1:]
	if found != nil && (found.takes != nothing || strings.HasPrefix(s.bundle, "=")) && s.bundle != "" {
		value := strings.TrimPrefix(s.bundle, "=")
		s.bundle = ""
		return s.take(found, value, true)
	}
	return s.take(found, "", false)
}

// take completes an option with its value.
func (s *scanner) take(o *option, value string, attached bool) (*use, *Error) {
	switch {
	case o == nil:
		return nil, popt(s.last(), s.lastText(), "unknown option")
	case o.takes == nothing && attached:
		return nil, popt(s.last(), s.lastText(), "option does not take an argument")
	case o.takes == nothing || attached:
		return s.use(o, value, attached), nil
	case o.takes == perhaps && (s.next == len(s.args) || strings.HasPrefix(s.args[s.next], "-")):
		return s.use(o, "", false), nil
	case s.next == len(s.args):
		return nil, popt(len(s.args), s.lastText(), "missing argument")
	}
	s.next++
	return s.use(o, s.lastText(), true), nil
}

func (s *scanner) use(o *option, value string, given bool) *use {
	s.found = use{o, value, given, s.last()}
	return &s.found
}
