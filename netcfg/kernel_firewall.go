package netcfg

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg/firewall"
)

// readTime and readSize bound what a program may print of its rules: some hosts
// have tens of thousands.
const (
	readTime = 10 * time.Second
	readSize = 64 << 20
)

// Firewall implements Firewalls.
func (k *Kernel) Firewall() (firewall.Rules, error) {
	var r firewallReader
	err := k.in.Do(func() error {
		r.Default = defaultBackend()
		if err := r.readNFT(); err != nil {
			return err
		}
		return r.readLegacy()
	})
	if err != nil {
		return firewall.Rules{}, fmt.Errorf("cannot read the firewall's rules: %w", err)
	}
	return r.Rules, nil
}

type firewallReader struct{ firewall.Rules }

// unread notes what is there and cannot be read.
func (r *firewallReader) unread(format string, args ...any) {
	r.Unread = append(r.Unread, fmt.Sprintf(format, args...))
}

// nftTable names a table of nft, of which those of iptables-nft are some.
type nftTable struct {
	family firewall.Family
	name   string
}

func (t nftTable) String() string { return string(t.family) + " " + t.name }

// readNFT asks iptables-nft for what it knows how to show, as its tool writes it,
// and nft for the rest. Both would load nf_tables: without it there are no rules.
func (r *firewallReader) readNFT() error {
	if loaded, err := (kernelModule{"nf_tables"}).has(); err != nil || !loaded {
		return err
	}
	left, err := whole(nftTables)
	if err != nil {
		return meaning(err)
	}
	for _, f := range []firewall.Family{firewall.IPv4, firewall.IPv6} {
		if !slices.ContainsFunc(left, func(t nftTable) bool { return t.family == f }) {
			continue
		}
		text, err := run(saver(f, "-nft"))
		if err != nil {
			continue // nft shows these tables, too
		}
		tables := firewall.ParseSave(text, firewall.IptablesNFT, f)
		r.Tables = append(r.Tables, tables...)
		for _, t := range tables {
			left = slices.DeleteFunc(left, func(l nftTable) bool { return l == nftTable{f, t.Name} })
		}
	}
	if len(left) > 0 {
		r.readNative(left)
	}
	return nil
}

func (r *firewallReader) readNative(left []nftTable) {
	text, err := run("nft", "-j", "list", "ruleset")
	var tables []firewall.Table
	if err == nil {
		tables, err = firewall.ParseNFT([]byte(text))
	}
	if err != nil {
		r.unread("there are tables of nft (%v), which cannot be read: %v", join(left), err)
		return
	}
	for _, t := range tables {
		if slices.Contains(left, nftTable{t.Family, t.Name}) {
			r.Tables = append(r.Tables, t)
		}
	}
}

func join[T fmt.Stringer](all []T) string {
	words := make([]string, len(all))
	for i, a := range all {
		words[i] = a.String()
	}
	return strings.Join(words, ", ")
}

// nftTables asks the kernel itself, so that no program is started for nothing.
func nftTables() (tables []nftTable, err error) {
	req := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETTABLE, unix.NLM_F_DUMP)
	req.AddData(&nl.Nfgenmsg{})
	all, err := req.Execute(unix.NETLINK_NETFILTER, 0)
	for _, m := range all {
		attrs, err := nl.ParseRouteAttr(m[nl.SizeofNfgenmsg:])
		if err != nil {
			return nil, err
		}
		family, known := nftFamilies[m[0]]
		for _, a := range attrs {
			if known && a.Attr.Type == unix.NFTA_TABLE_NAME {
				tables = append(tables, nftTable{family, string(bytes.TrimRight(a.Value, "\x00"))})
			}
		}
	}
	return tables, err
}

// FirewallVersion implements Firewalls. Who asks nf_tables loads it: without it there
// is one version.
func (k *Kernel) FirewallVersion() (version uint32, err error) {
	err = k.in.Do(func() error {
		if loaded, err := (kernelModule{"nf_tables"}).has(); err != nil || !loaded {
			return err
		}
		req := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN, unix.NLM_F_REQUEST)
		req.AddData(&nl.Nfgenmsg{})
		all, err := req.Execute(unix.NETLINK_NETFILTER, 0)
		for _, m := range all {
			attrs, err := nl.ParseRouteAttr(m[nl.SizeofNfgenmsg:])
			if err != nil {
				return err
			}
			for _, a := range attrs {
				if a.Attr.Type == unix.NFTA_GEN_ID && len(a.Value) == 4 {
					version = binary.BigEndian.Uint32(a.Value)
				}
			}
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("cannot read the firewall's version: %w", meaning(err))
	}
	return version, err
}

// nftFamilies are those that packets for IPVS pass (NFPROTO_*).
var nftFamilies = map[byte]firewall.Family{
	unix.NFPROTO_IPV4: firewall.IPv4, unix.NFPROTO_IPV6: firewall.IPv6, unix.NFPROTO_INET: firewall.Both,
	unix.NFPROTO_NETDEV: firewall.Card, unix.NFPROTO_BRIDGE: firewall.Bridge,
}

// readLegacy reads the tables of the old iptables. Its tool would make those that
// are not there yet.
func (r *firewallReader) readLegacy() error {
	for f, names := range map[firewall.Family]string{firewall.IPv4: "ip_tables_names", firewall.IPv6: "ip6_tables_names"} {
		text, err := os.ReadFile("/proc/thread-self/net/" + names)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, fs.ErrPermission):
			return ipvs.ErrPermission
		case err != nil:
			return err
		}
		tables := strings.Fields(string(text))
		if len(tables) == 0 {
			continue
		}
		variant := "-legacy"
		if r.Default == firewall.IptablesLegacy { // older ones have no second name
			variant = ""
		}
		saved, err := run(saver(f, variant))
		if err != nil {
			r.unread("there are tables of the old %s (%s), which cannot be read: %v", family("iptables", f == firewall.IPv6), strings.Join(tables, ", "), err)
			continue
		}
		r.Tables = append(r.Tables, firewall.ParseSave(saved, firewall.IptablesLegacy, f)...)
	}
	return nil
}

// saver is the program that shows the rules of a back end.
func saver(f firewall.Family, variant string) string {
	return family("iptables", f == firewall.IPv6) + variant + "-save"
}

// defaultBackend is where the host's own iptables writes.
func defaultBackend() firewall.Backend {
	text, err := run("iptables", "--version")
	switch {
	case err != nil:
		return ""
	case strings.Contains(text, "nf_tables"):
		return firewall.IptablesNFT
	}
	return firewall.IptablesLegacy
}

// run starts a program that only reads.
func run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, find(name), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var out, complaint limited
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	switch {
	case err == nil:
		return out.String(), nil
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%s is not on this host; install it", name)
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s did not end within %v", name, readTime)
	}
	said := cmp.Or(strings.Join(strings.Fields(complaint.String()), " "), err.Error())
	return "", fmt.Errorf("%s: %s", name, said)
}

// limited takes no more than anybody could want to print.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > readSize {
		return 0, fmt.Errorf("it prints more than %d MiB", readSize>>20)
	}
	return l.Buffer.Write(p)
}
