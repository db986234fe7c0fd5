// Package kernel is the ipvs.Table of the running Linux kernel: it speaks
// generic netlink to the family IPVS (net/netfilter/ipvs/ip_vs_ctl.c and
// include/uapi/linux/ip_vs.h are its specification), and takes the connection
// counts of an overview from /proc/net/ip_vs, where the whole table costs less
// than one service's servers do per netlink request.
//
// Files named configure_*.go write what the kernel reads, parse_*.go read what
// it writes; both are pure. A client never starts a program (but for modprobe
// when told to), never logs, and gives up when its context does.
//
// github.com/moby/ipvs speaks the same language but loses fields, logs, starts
// modprobe and waits for ever; its constants serve here, and in the lab it is
// the second reader that ours is compared with.
//
// Out of scope: the old sockopt interface, kernels before 3.18, the connection
// list, and sysctls other than those that stop the counters.
package kernel
