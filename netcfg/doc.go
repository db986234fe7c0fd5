// Package netcfg is the host around the table: the sysctls of IPVS and the
// kernel modules it is made of.
//
// Host has two implementations, the kernel's (Open) and one in memory (New),
// and one contract test that both pass. What the sysctls mean stands in one
// table (known.go). Rules are those that make sense: of most numbers the kernel
// itself takes any, so a value that somebody else set may break them and can
// still be put back.
//
// Out of scope, so far: addresses, links, routes, firewalls.
package netcfg
