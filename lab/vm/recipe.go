package vm

// recipe says what the guest is made of. Changing it makes a new base archive.
type recipe struct {
	Form    int                 // raise it when the same recipe gives another archive
	Suite   string              // Debian's, of which the kernel is; "" is what apt would install
	Kernel  string              // the package that depends on the newest kernel
	Tools   map[string][]string // package: patterns of the files wanted from it
	Links   map[string]string   // link: target
	Files   map[string]string   // small files of our own
	Modules struct {
		Dirs  []string // every module below these, with what it needs
		Names []string
		Boot  []string // these are loaded before the job starts
	}
}

func debian(suite string) recipe {
	r := recipe{
		Form:   1,
		Suite:  suite,
		Kernel: "linux-image-cloud-amd64",
		Tools: map[string][]string{
			"ipvsadm":        {"sbin/ipvsadm*"},
			"iptables":       {"usr/sbin/xtables-*-multi", "usr/sbin/ip*tables-*", "usr/lib/*/xtables/libxt_*", "usr/lib/*/xtables/libip*"},
			"nftables":       {"usr/sbin/nft"},
			"iproute2":       {"bin/ip", "bin/ss", "sbin/ip", "sbin/bridge", "sbin/tc", "etc/iproute2/*"},
			"conntrack":      {"usr/sbin/conntrack"},
			"bash":           {"bin/bash"},           // ipvsadm-save and ipvsadm-restore are written for it
			"dash":           {"bin/dash", "bin/sh"}, // busybox's own shell prefers its own ip to the real one
			"busybox-static": {"bin/busybox"},
			"netbase":        {"etc/protocols", "etc/services"},
			"openssh-client": {"usr/bin/ssh", "usr/bin/ssh-keygen"},
			"openssh-server": {"usr/sbin/sshd"},
			"ncurses-base":   {"lib/terminfo/*/*"},
		},
		// Debian's packages are laid out for a root with these links, and leave
		// the choice of an iptables to update-alternatives.
		Links: map[string]string{
			"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64",
			"var/run": "/run", "etc/mtab": "/proc/mounts",
			"usr/sbin/iptables": "iptables-nft", "usr/sbin/iptables-save": "iptables-nft-save",
			"usr/sbin/iptables-restore": "iptables-nft-restore",
			"usr/sbin/ip6tables":        "ip6tables-nft", "usr/sbin/ip6tables-save": "ip6tables-nft-save",
			"usr/sbin/ip6tables-restore": "ip6tables-nft-restore",
		},
		Files: map[string]string{
			"etc/passwd":   "root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n",
			"etc/group":    "root:x:0:\n",
			"etc/hosts":    "127.0.0.1 localhost\n::1 localhost\n",
			"etc/hostname": "lab\n",
			"root/.bashrc": "PS1='\\h:\\w\\$ '\n",
		},
	}
	r.Modules.Dirs = []string{
		"kernel/net/netfilter", "kernel/net/ipv4", "kernel/net/ipv6", "kernel/net/bridge", "kernel/net/sched",
	}
	r.Modules.Names = []string{
		"dummy", "ifb", "macvlan", "ipvlan", "vxlan", "8021q", "tun", "vrf", "bonding", "sctp", "sctp_diag",
		"af_packet_diag", "netlink_diag",
	}
	r.Modules.Boot = []string{"ip_vs", "veth", "bridge"}
	return r
}
