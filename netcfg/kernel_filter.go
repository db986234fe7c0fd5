package netcfg

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/coreos/go-iptables/iptables"

	"lvsdeck/ipvs"
)

// lockTime is how many seconds iptables waits for others that change rules.
const lockTime = 10

type kernelFilter Filter

func (f kernelFilter) has() (bool, error) {
	t, err := f.tool()
	if err != nil {
		return false, err
	}
	has, err := t.Exists(f.Table, f.Chain, Filter(f).spec()...)
	return has, toolSaid(err)
}

func (f kernelFilter) add() error {
	t, err := f.tool()
	if err != nil {
		return err
	}
	if f.First {
		return toolSaid(t.Insert(f.Table, f.Chain, 1, Filter(f).spec()...))
	}
	return toolSaid(t.Append(f.Table, f.Chain, Filter(f).spec()...))
}

func (f kernelFilter) remove() error {
	t, err := f.tool()
	if err != nil {
		return err
	}
	return toolSaid(t.Delete(f.Table, f.Chain, Filter(f).spec()...))
}

// tool is the host's own choice of iptables. It is started anew for each
// question: by the thread that asks, which is in the right namespace.
func (f kernelFilter) tool() (*iptables.IPTables, error) {
	version := iptables.ProtocolIPv4
	if f.IPv6 {
		version = iptables.ProtocolIPv6
	}
	t, err := iptables.New(iptables.IPFamily(version), iptables.Timeout(lockTime), iptables.Path(find(family("iptables", f.IPv6))))
	if errors.Is(err, exec.ErrNotFound) {
		err = fmt.Errorf("%w (%w)", ErrNoIPTables, err)
	}
	return t, err
}

// find looks for a program where root's are, too: su leaves them out of PATH.
func find(program string) string {
	for _, dir := range []string{"", "/usr/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + program); err == nil {
			return path
		}
	}
	return program
}

// toolSaid keeps what iptables said and leaves out how it was called.
func toolSaid(err error) error {
	var failed *iptables.Error
	if !errors.As(err, &failed) {
		return err
	}
	_, said, _ := strings.Cut(failed.Error(), fmt.Sprintf("exit status %d: ", failed.ExitStatus()))
	said = strings.Join(strings.Fields(said), " ")
	if strings.Contains(said, "Permission denied") {
		return fmt.Errorf("%w (%s)", ipvs.ErrPermission, said)
	}
	return fmt.Errorf("%w (%s)", ErrRefused, said)
}
