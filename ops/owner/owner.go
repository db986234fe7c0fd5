package owner

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Owner is a program that manages the table.
type Owner struct {
	Name string
	PID  int
	Will string // what it will do about changes that are not its own, in a sentence
	Also string // others that surely manage the table too, by name; "" when it is alone
}

// Process is a program that runs.
type Process struct {
	PID  int
	Name string   // comm: at most 15 characters
	Args []string // the command line
	Away bool     // in another network namespace
}

// System is what a search looks at.
type System interface {
	// Processes gives those that run under names that are wanted, by rising PID.
	// Some may be missing.
	Processes(wanted func(name string) bool) ([]Process, error)

	// Read gives a file's text; an error when it is not there.
	Read(path string) (string, error)

	// Match gives the files of a shell's pattern.
	Match(pattern string) []string

	// Exists tells that there is such a file.
	Exists(path string) bool

	// Inside tells that this program runs in a network namespace, by its file.
	Inside(path string) bool
}

// candidate is a program that may be the owner.
type candidate struct {
	name     string   // in the operator's words
	programs []string // the names it runs by
	will     string
	owns     func(System, Process) hold // nil: if it runs, it does
	outside  bool                       // it works in namespaces other than its own
}

// hold is how sure it is that a program that runs manages the table.
type hold uint8

const (
	not   hold = iota
	maybe      // it counts when nobody surely does
	surely
)

func sure(is bool) hold {
	if is {
		return surely
	}
	return not
}

// candidates, the common ones first. Of several that own the table the first is
// named.
var candidates = []candidate{
	{
		"keepalived", []string{"keepalived"},
		"It puts its own servers and weights back when a health check changes and at each reload, and takes its services away when it stops.",
		keepalived, false,
	},
	{
		"ldirectord", []string{"ldirectord"},
		"It puts its own servers and weights back at its next check, within seconds.",
		nil, false,
	},
	{
		"kube-proxy", []string{"kube-proxy"},
		"It makes the table from the cluster's services again, within 30 seconds, and removes what it does not know.",
		kubeProxy, false,
	},
	{
		"kube-router", []string{"kube-router"},
		"It makes the table from the cluster's services again, within minutes, and removes what it does not know.",
		func(_ System, p Process) hold { return sure(!p.has("--run-service-proxy=false")) }, false,
	},
	{
		"Docker swarm", []string{"dockerd"},
		"Docker keeps the services of its swarm here and sets them again when tasks come and go.",
		swarm, true,
	},
	{"Piranha", []string{"lvsd"}, "It puts its own servers and weights back at its next check.", nil, false},
	{"Seesaw", []string{"seesaw_ncc"}, "It puts its own servers and weights back at its next check.", nil, false},
	{"ipvsman", []string{"ipvsman"}, "It puts its own servers and weights back at its next check.", nil, false},
	{"gorb", []string{"gorb"}, "It puts its own servers and weights back at its next check.", nil, false},
}

// Find gives the program that manages the table, or nil.
func Find(s System) (*Owner, error) {
	all, err := s.Processes(func(name string) bool {
		return isInterpreter(name) || slices.ContainsFunc(candidates, func(c candidate) bool { return slices.Contains(c.programs, name) })
	})
	if err != nil {
		return nil, err
	}
	var first, likely *Owner
	for _, c := range candidates {
		p, how := c.find(s, all)
		o := &Owner{Name: c.name, PID: p.PID, Will: c.will}
		switch {
		case how == not:
		case how == maybe:
			if likely == nil {
				likely = o
			}
		case first == nil:
			first = o
		case first.Also == "":
			first.Also = c.name
		default:
			first.Also += ", " + c.name
		}
	}
	if first == nil {
		first = likely
	}
	return first, nil
}

// find gives the process that surely manages the table, or else one that may.
func (c candidate) find(s System, all []Process) (best Process, how hold) {
	for _, p := range all {
		if !c.runsAs(p) || p.Away && !c.outside {
			continue
		}
		is := surely
		if c.owns != nil {
			is = c.owns(s, p)
		}
		if is > how {
			best, how = p, is
		}
	}
	return best, how
}

// runsAs looks at the process's name, and for a script that its interpreter was
// called with at the command line.
func (c candidate) runsAs(p Process) bool {
	return slices.Contains(c.programs, p.Name) || slices.Contains(c.programs, p.script())
}

// script is the name of what an interpreter was called with, or "".
func (p Process) script() string {
	if !isInterpreter(p.Name) {
		return ""
	}
	for _, arg := range p.Args[min(1, len(p.Args)):] {
		if !strings.HasPrefix(arg, "-") {
			return path.Base(arg)
		}
	}
	return ""
}

// isInterpreter tells what runs scripts: perl, python3.11, …
func isInterpreter(name string) bool {
	return slices.Contains([]string{"perl", "python", "sh", "bash", "dash"}, strings.TrimRight(name, "0123456789."))
}

func (p Process) has(args ...string) bool {
	return slices.ContainsFunc(p.Args, func(a string) bool { return slices.Contains(args, a) })
}

// keepalived leaves IPVS alone when it does VRRP only: told so, or without a
// virtual server in its configuration and in what that includes.
func keepalived(s System, p Process) hold {
	if p.has("-P", "--vrrp") {
		return not
	}
	return virtual(s, p, configuration(p), 0)
}

// includes are as many as are followed one into another.
const includes = 8

// virtual looks for a virtual server in a file of configuration as the program sees
// it, which may run in a container.
func virtual(s System, p Process, file string, depth int) hold {
	text, err := s.Read(p.root() + file)
	if err != nil {
		text, err = s.Read(file)
	}
	if err != nil || depth > includes {
		return maybe
	}
	found := not
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line, _, _ = strings.Cut(line, "!")
		words := strings.Fields(line)
		if len(words) > 0 && strings.HasPrefix(words[0], "@") { // for some hosts only
			words = words[1:]
		}
		switch {
		case len(words) == 0:
		case strings.HasPrefix(words[0], "virtual_server"):
			return surely
		case strings.HasPrefix(words[0], "include") && len(words) > 1:
			found = max(found, included(s, p, path.Dir(file), words[1], depth))
		}
	}
	return found
}

// included looks into the files of an include.
func included(s System, p Process, dir, pattern string, depth int) (found hold) {
	pattern = strings.Trim(pattern, `"`)
	if !path.IsAbs(pattern) {
		pattern = path.Join(dir, pattern)
	}
	all := s.Match(p.root() + pattern)
	for i := range all {
		all[i] = strings.TrimPrefix(all[i], p.root())
	}
	if len(all) == 0 {
		all = s.Match(pattern)
	}
	if len(all) == 0 {
		return maybe
	}
	for _, file := range all {
		found = max(found, virtual(s, p, file, depth+1))
	}
	return found
}

// root is where the program's own file system is seen from here.
func (p Process) root() string { return fmt.Sprintf("/proc/%d/root", p.PID) }

func configuration(p Process) string {
	for i, a := range p.Args {
		if file, ok := strings.CutPrefix(a, "--use-file="); ok {
			return file
		}
		if (a == "-f" || a == "--use-file") && i+1 < len(p.Args) {
			return p.Args[i+1]
		}
	}
	return "/etc/keepalived/keepalived.conf"
}

// kubeProxy uses IPVS in one of its modes only, and then has a device for its
// addresses.
func kubeProxy(s System, p Process) hold {
	return sure(p.has("--proxy-mode=ipvs") || s.Exists("/proc/sys/net/ipv4/conf/kube-ipvs0"))
}

// swarm balances in namespaces of its own, never in the host's.
func swarm(s System, _ Process) hold {
	return sure(s.Inside("/run/docker/netns/ingress_sbox") || s.Inside("/var/run/docker/netns/ingress_sbox"))
}
