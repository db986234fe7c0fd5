package owner

import (
	"path"
	"slices"
	"strings"
)

// Owner is a program that manages the table.
type Owner struct {
	Name string
	PID  int
	Will string // what it will do about changes that are not its own, in a sentence
	Also string // others that manage the table too, by name; "" when it is alone
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
	owns     func(System, Process) bool // nil: if it runs, it does
	outside  bool                       // it works in namespaces other than its own
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
		func(_ System, p Process) bool { return !p.has("--run-service-proxy=false") }, false,
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
	var first *Owner
	for _, c := range candidates {
		at := slices.IndexFunc(all, func(p Process) bool {
			return c.runsAs(p) && (c.outside || !p.Away) && (c.owns == nil || c.owns(s, p))
		})
		switch {
		case at < 0:
		case first == nil:
			first = &Owner{Name: c.name, PID: all[at].PID, Will: c.will}
		case first.Also == "":
			first.Also = c.name
		default:
			first.Also += ", " + c.name
		}
	}
	return first, nil
}

// runsAs looks at the process's name, and for a script that its interpreter was
// called with at the command line.
func (c candidate) runsAs(p Process) bool {
	if slices.Contains(c.programs, p.Name) {
		return true
	}
	if !isInterpreter(p.Name) {
		return false
	}
	for _, arg := range p.Args[min(1, len(p.Args)):] {
		if !strings.HasPrefix(arg, "-") {
			return slices.Contains(c.programs, path.Base(arg))
		}
	}
	return false
}

// isInterpreter tells what runs scripts: perl, python3.11, …
func isInterpreter(name string) bool {
	return slices.Contains([]string{"perl", "python", "sh", "bash", "dash"}, strings.TrimRight(name, "0123456789."))
}

func (p Process) has(args ...string) bool {
	return slices.ContainsFunc(p.Args, func(a string) bool { return slices.Contains(args, a) })
}

// keepalived leaves IPVS alone when it does VRRP only: told so, or without a
// virtual server in its configuration.
func keepalived(s System, p Process) bool {
	if p.has("-P", "--vrrp") {
		return false
	}
	text, err := s.Read(configuration(p))
	return err != nil || strings.Contains(text, "virtual_server") || strings.Contains(text, "include")
}

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
func kubeProxy(s System, p Process) bool {
	return p.has("--proxy-mode=ipvs") || s.Exists("/proc/sys/net/ipv4/conf/kube-ipvs0")
}

// swarm balances in namespaces of its own, never in the host's.
func swarm(s System, _ Process) bool {
	return s.Inside("/run/docker/netns/ingress_sbox") || s.Inside("/var/run/docker/netns/ingress_sbox")
}
