package owner

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// fake is a host made up for a test.
type fake struct {
	processes []Process
	files     map[string]string
	inside    string
	broken    error
}

func (f *fake) Processes(wanted func(string) bool) ([]Process, error) {
	unwanted := func(p Process) bool { return !wanted(p.Name) }
	return slices.DeleteFunc(slices.Clone(f.processes), unwanted), f.broken
}
func (f *fake) Inside(path string) bool { return path == f.inside }
func (f *fake) Exists(path string) bool { _, ok := f.files[path]; return ok }
func (f *fake) Match(pattern string) (all []string) {
	for name := range f.files {
		if ok, _ := path.Match(pattern, name); ok {
			all = append(all, name)
		}
	}
	return all
}
func (f *fake) Read(path string) (string, error) {
	text, ok := f.files[path]
	if !ok {
		return "", fs.ErrNotExist
	}
	return text, nil
}

// run is a process by its command line; the name is the program's, cut as the
// kernel does.
func run(pid int, line string) Process {
	args := strings.Fields(line)
	name := args[0][strings.LastIndex(args[0], "/")+1:]
	return Process{PID: pid, Name: name[:min(15, len(name))], Args: args}
}

func away(p Process) Process { p.Away = true; return p }

func TestFind(t *testing.T) {
	const conf = "/etc/keepalived/keepalived.conf"
	perl := run(77, "/usr/bin/perl -w /usr/sbin/ldirectord start")
	for _, c := range []struct {
		what string
		pid  int // of the owner; 0: none
		name string
		also string
		fake
	}{
		{what: "nobody", fake: fake{processes: []Process{run(1, "/sbin/init"), run(2, "nginx -g daemon"), run(3, "vi keepalived.conf")}}},
		{what: "keepalived's parent", pid: 812, name: "keepalived", fake: fake{
			processes: []Process{run(812, "/usr/sbin/keepalived -D"), run(813, "/usr/sbin/keepalived -D")},
			files:     map[string]string{conf: "virtual_server 10.0.0.1 80 {\n}"}}},
		{what: "keepalived with unreadable configuration", pid: 812, name: "keepalived", fake: fake{processes: []Process{run(812, "keepalived")}}},
		{what: "keepalived with included configuration", pid: 9, name: "keepalived", fake: fake{
			processes: []Process{run(9, "keepalived --use-file /a")}, files: map[string]string{"/a": "include /b/*.conf"}}},
		{what: "keepalived that includes VRRP only", fake: fake{
			processes: []Process{run(9, "keepalived --use-file /a/b")}, files: map[string]string{"/a/b": "include c/*.conf", "/a/c/d.conf": "vrrp_instance x {}  # virtual_server"}}},
		{what: "keepalived that includes services", pid: 9, name: "keepalived", fake: fake{
			processes: []Process{run(9, "keepalived --use-file /a/b")}, files: map[string]string{"/a/b": "include c/*.conf", "/a/c/d.conf": "virtual_server_group x {}"}}},
		{what: "keepalived that includes itself", pid: 9, name: "keepalived", fake: fake{
			processes: []Process{run(9, "keepalived -f /a")}, files: map[string]string{"/a": "include /a"}}},
		{what: "keepalived in a pod, for VRRP only", fake: fake{
			processes: []Process{run(9, "keepalived -f /c")}, files: map[string]string{"/proc/9/root/c": "vrrp_instance x {}", "/c": "virtual_server"}}},
		{what: "keepalived in a pod, whose configuration includes services", pid: 9, name: "keepalived", fake: fake{
			processes: []Process{run(9, "keepalived -f /c")}, files: map[string]string{"/proc/9/root/c": "include d", "/proc/9/root/d": "virtual_server"}}},
		{what: "kube-proxy, and a keepalived that may be for VRRP only", pid: 5, name: "kube-proxy", fake: fake{
			processes: []Process{run(5, "kube-proxy --proxy-mode=ipvs"), run(9, "keepalived -n -f /container/keepalived.conf")}}},
		{what: "kube-proxy and keepalived", pid: 9, name: "keepalived", also: "kube-proxy", fake: fake{
			processes: []Process{run(5, "kube-proxy --proxy-mode=ipvs"), run(9, "keepalived")}, files: map[string]string{conf: "virtual_server 10.0.0.1 80 {"}}},
		{what: "keepalived for VRRP only, by its configuration", fake: fake{
			processes: []Process{run(9, "keepalived -n -f /a")}, files: map[string]string{"/a": "vrrp_instance x {}", conf: "virtual_server"}}},
		{what: "the same, another way to write it", fake: fake{
			processes: []Process{run(9, "keepalived --use-file=/a")}, files: map[string]string{"/a": "vrrp_instance x {}"}}},
		{what: "keepalived for VRRP only, told so", fake: fake{processes: []Process{run(9, "keepalived --vrrp")}}},
		{what: "keepalived of a container", fake: fake{processes: []Process{away(run(9, "keepalived"))}}},
		{what: "ldirectord by its script", pid: 77, name: "ldirectord", fake: fake{processes: []Process{{PID: 77, Name: "ldirectord", Args: perl.Args}}}},
		{what: "ldirectord by its interpreter", pid: 77, name: "ldirectord", fake: fake{processes: []Process{perl}}},
		{what: "an editor on ldirectord", fake: fake{processes: []Process{run(5, "perl -d notldirectord"), run(6, "less /usr/sbin/ldirectord")}}},
		{what: "ldirectord elsewhere", fake: fake{processes: []Process{away(perl)}}},
		{what: "kube-proxy with iptables", fake: fake{processes: []Process{run(5, "/usr/local/bin/kube-proxy --config=/c")}}},
		{what: "kube-proxy with IPVS, told so", pid: 5, name: "kube-proxy", fake: fake{processes: []Process{run(5, "kube-proxy --proxy-mode=ipvs")}}},
		{what: "kube-proxy with IPVS, by its device", pid: 5, name: "kube-proxy", fake: fake{
			processes: []Process{run(5, "kube-proxy --config=/c")}, files: map[string]string{"/proc/sys/net/ipv4/conf/kube-ipvs0": ""}}},
		{what: "kube-router", pid: 6, name: "kube-router", fake: fake{processes: []Process{run(6, "kube-router --run-service-proxy=true")}}},
		{what: "kube-router without services", fake: fake{processes: []Process{run(6, "kube-router --run-service-proxy=false")}}},
		{what: "kube-router elsewhere", fake: fake{processes: []Process{away(run(6, "kube-router"))}}},
		{what: "Docker beside the host's table", fake: fake{processes: []Process{run(7, "/usr/bin/dockerd")}}},
		{what: "inside Docker's ingress", pid: 7, name: "Docker swarm", fake: fake{
			processes: []Process{away(run(7, "/usr/bin/dockerd"))}, inside: "/run/docker/netns/ingress_sbox"}},
		{what: "another", pid: 8, name: "Seesaw", fake: fake{processes: []Process{run(8, "/usr/local/seesaw/seesaw_ncc")}}},
		{what: "python3.11", pid: 8, name: "ipvsman", fake: fake{processes: []Process{run(8, "python3.11 /usr/bin/ipvsman")}}},
		{what: "two: the likelier one", pid: 9, name: "keepalived", also: "gorb", fake: fake{processes: []Process{run(8, "gorb"), run(9, "keepalived")}, files: map[string]string{conf: "virtual_server"}}},
	} {
		o, err := Find(&c.fake)
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.what, err)
		case c.pid == 0 && o != nil:
			t.Errorf("%s: found %+v", c.what, *o)
		case o != nil && o.Also != c.also:
			t.Errorf("%s: also %q", c.what, o.Also)
		case c.pid != 0 && (o == nil || o.PID != c.pid || o.Name != c.name || !strings.HasSuffix(o.Will, ".")):
			t.Errorf("%s: found %+v", c.what, o)
		}
	}
}

func TestMover(t *testing.T) {
	for _, c := range []struct {
		want string
		runs []Process
	}{
		{"", []Process{run(1, "/sbin/init"), run(2, "python3 /usr/bin/other"), away(run(3, "bird"))}},
		{"keepalived", []Process{run(9, "keepalived --vrrp")}},
		{"corosync", []Process{run(4, "/usr/sbin/corosync -f"), run(5, "pacemakerd")}},
		{"exabgp", []Process{run(6, "python3 /usr/sbin/exabgp /etc/exabgp.conf")}},
		{"ucarp", []Process{run(7, "ucarp -i eth0")}},
	} {
		p, err := Mover(&fake{processes: c.runs})
		if err != nil || (p == nil) != (c.want == "") || p != nil && p.Name != c.want {
			t.Errorf("%q: %+v, %v", c.want, p, err)
		}
	}
	if _, err := Mover(&fake{broken: errors.New("no /proc")}); err == nil {
		t.Error("no error")
	}
	if _, err := MoverHere(); err != nil {
		t.Error(err)
	}
}

func TestWatchKeepsWhatItKnew(t *testing.T) {
	var w Watch
	if w.Latest() != nil {
		t.Error("found somebody before looking")
	}
	f := &fake{processes: []Process{run(9, "gorb")}}
	w.Look(f)
	f.broken = errors.New("no /proc")
	w.Look(f)
	if o := w.Latest(); o == nil || o.PID != 9 {
		t.Errorf("a failed look forgets: %v", o)
	}
	f.broken, f.processes = nil, nil
	w.Look(f)
	if o := w.Latest(); o != nil {
		t.Errorf("still there: %v", o)
	}
}

// TestHere: this very test is a process of this host.
func TestHere(t *testing.T) {
	h, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	mine := func(name string) bool { return strings.HasPrefix("owner.test", name) }
	all, err := h.Processes(mine)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, p := range all {
		found = found || p.PID == os.Getpid() && len(p.Args) == len(os.Args) && !p.Away
	}
	if !found {
		t.Errorf("%d processes, and not this one", len(all))
	}
	if !h.Inside("/proc/self/ns/net") || h.Inside("/proc/self/ns/mnt") || h.Inside("/no/such") {
		t.Error("does not know its namespace")
	}
	if !h.Exists("/proc/self") || h.Exists("/no/such") {
		t.Error("does not know what exists")
	}
	if text, err := h.Read("/proc/self/comm"); err != nil || text == "" {
		t.Errorf("%q, %v", text, err)
	}
}
