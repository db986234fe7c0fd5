// Package ipvs holds the words of the kernel's virtual server table: services,
// real servers, their settings, counters and errors, and the interfaces through
// which the rest of lvsdeck reads and changes it.
//
// The package is data and contracts only. It does no I/O, so everything can
// import it. The implementations live below it: kernel (genetlink), proc
// (read-only text, no rights needed) and memory (demo and tests); tabletest
// holds the contract all of them pass.
//
// Out of scope: the host around the table (addresses, routes, sysctls), the
// connection list, and every text format but the names below.
package ipvs
