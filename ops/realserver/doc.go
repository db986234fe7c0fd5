// Package realserver is what DR, TUN and NAT need on the real servers.
//
// Steps are the one list of it, for each mode and family. From them come the
// plan that lvsdeck runs on a real server itself (Make, Undo), and a kit that needs no
// lvsdeck there: a script for any POSIX shell (Script) and a unit that keeps it
// over reboots (Unit). Remote runs the script over the system's own ssh.
//
// Out of scope: the director's side (ops/setup), the service that the server
// runs, and servers that are no Linux: for those there are words (Recipe).
package realserver
