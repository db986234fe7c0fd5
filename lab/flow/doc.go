// Package flow has whole flows as tests: the real program on a terminal, on a
// director in the lab, with real traffic, and ipvsadm as judge of what stands on
// the screen. It needs the program beside it:
//
//	go test -exec "bin/labrun -add bin/lvsdeck" ./lab/flow
//
// Out of scope: everything that can be tested without a kernel.
package flow
