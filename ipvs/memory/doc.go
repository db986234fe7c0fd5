// Package memory is an ipvs.Table without a kernel, for the demo and for tests.
// It answers as the kernel does, with the kernel's errno: the same contract
// test (lvsdeck/ipvs/tabletest) runs on both.
//
// Nothing moves in it by itself: Observe tells it what traffic passed, and
// Inject makes its calls fail or hang.
//
// Out of scope: connections as such, scheduling, sync traffic, and the kernel's
// trash, from which a deleted server may come back with its old counters.
package memory
