// Package netcfg is the host around the table: sysctls, kernel modules, and what
// a set-up of LVS gives a host: addresses, links, routes, rules, ports for GUE,
// rules of iptables. It also reads what there is around the host: its links, its
// neighbours, the ways that packets take, and its firewalls (whose rules package
// firewall makes sense of).
//
// A Setting is plain data that a host has or has not, so that whether it is so
// already, doing it and undoing it are the same for all of them. Host has two
// implementations, the kernel's (Open) and one in memory (New), and one contract
// test that both pass. Each setting is also said in lines for a shell, and the
// lab holds these to what the library does.
//
// What the sysctls of IPVS mean stands in one table (known.go). Rules are those
// that make sense: of most numbers the kernel itself takes any, so a value that
// somebody else set may break them and can still be put back. Of sysctls of links
// what counts is often not the link's alone (effect.go).
//
// Out of scope: making things last over a restart, and IPVS's own table.
package netcfg
