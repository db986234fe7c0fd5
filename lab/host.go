package lab

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Host is a computer of the network: namespaces of its own for network, mounts
// (only /sys differs) and host name.
type Host struct {
	Name   string
	net    *Net
	spaces []*os.File // open namespaces; the network is the first
	links  *netlink.Handle
}

// namespaces are the kinds that make a host, in the order in which to enter.
var namespaces = []struct {
	file string
	flag int
}{
	{"net", unix.CLONE_NEWNET}, {"uts", unix.CLONE_NEWUTS}, {"mnt", unix.CLONE_NEWNS},
}

// Host adds a computer without network cards.
func (n *Net) Host(name string) *Host {
	n.t.Helper()
	h := &Host{Name: name, net: n}
	var err error
	onOwnThread(func() { err = h.create() })
	if err == nil {
		h.links, err = netlink.NewHandleAt(netns.NsHandle(h.spaces[0].Fd()), unix.NETLINK_ROUTE)
	}
	n.t.Cleanup(h.close)
	if err != nil {
		n.t.Fatalf("lab: make host %s: %v", name, err)
	}
	h.Up("lo")
	return h
}

// create leaves the calling thread in new namespaces and keeps them open.
func (h *Host) create() error {
	flags := 0
	for _, ns := range namespaces {
		flags |= ns.flag
	}
	if err := unix.Unshare(flags); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	for _, ns := range namespaces {
		f, err := os.Open("/proc/thread-self/ns/" + ns.file)
		if err != nil {
			return err
		}
		h.spaces = append(h.spaces, f)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts private: %w", err)
	}
	// A mounted sysfs shows the network of the one who mounted it.
	if err := unix.Mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return fmt.Errorf("mount /sys: %w", err)
	}
	if err := unix.Sethostname([]byte(h.Name)); err != nil {
		return err
	}
	// Else each link-local address waits a second for somebody to object.
	for _, conf := range []string{"all", "default"} {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+conf+"/accept_dad", []byte("0"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) close() {
	if h.links != nil {
		h.links.Close()
	}
	for _, ns := range h.spaces {
		ns.Close()
	}
}

// Namespace is a path to the host's network namespace, for as long as this
// process runs: for netns.GetFromPath, or as a link in /run/netns.
func (h *Host) Namespace() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.spaces[0].Fd())
}

// Do runs f as a program of this host would run: what it opens, dials or
// starts is the host's. Only f's own goroutine is there, not those it starts.
// Read /proc/thread-self/net, not /proc/net, which is another thread's.
func (h *Host) Do(f func()) {
	h.net.t.Helper()
	var err error
	onOwnThread(func() {
		if err = h.enter(); err == nil {
			f()
		}
	})
	if err != nil {
		h.net.t.Fatalf("lab: enter %s: %v", h.Name, err)
	}
}

// enter moves the calling thread into the host.
func (h *Host) enter() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	// Threads share a working directory, and the kernel lets none that shares
	// change its mounts.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	for i, ns := range namespaces {
		if err := unix.Setns(int(h.spaces[i].Fd()), ns.flag); err != nil {
			return fmt.Errorf("%s namespace: %w", ns.file, err)
		}
	}
	return unix.Chdir(dir) // entering mounts leads to their root
}

// onOwnThread runs f on a thread that nothing else ever uses: it is thrown away
// when f is done. The end of a test in f (t.Fatal) is the end of the caller.
func onOwnThread(f func()) {
	returned := false
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		f()
		returned = true
	}()
	<-done
	if !returned {
		runtime.Goexit()
	}
}

// Command runs a program on the host and returns what it prints. The test ends
// when it fails.
func (h *Host) Command(name string, args ...string) string {
	h.net.t.Helper()
	text, err := h.Try(name, args...)
	if err != nil {
		h.net.t.Fatalf("lab: on %s: %v", h.Name, err)
	}
	return text
}

// Try is Command for a program that may fail; the error says what it said.
func (h *Host) Try(name string, args ...string) (text string, err error) {
	h.net.t.Helper()
	h.Do(func() { text, err = output(name, args...) })
	return text, err
}

// Ipvsadm asks Debian's ipvsadm on the host: the judge of what others did.
func (h *Host) Ipvsadm(args ...string) string {
	h.net.t.Helper()
	return h.Command("ipvsadm", args...)
}

// Start starts a command on the host, to be waited for by the caller. It must
// not ask for Pdeathsig: the thread that starts it ends at once.
func (h *Host) Start(cmd *exec.Cmd) (err error) {
	h.net.t.Helper()
	h.Do(func() { err = cmd.Start() })
	return err
}

func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, out, complaint.String())
	}
	return string(out), err
}
