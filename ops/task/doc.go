// Package task is work that takes time: it watches servers being drained, and
// keeps tasks that go on while the operator does something else: remove a server
// when it is empty, bring one back step by step.
//
// What a task does next is a pure function of the samples and the clock (Removal,
// Ramp), and so is what is said about a drained server (Judge). The Keeper feeds
// them and runs their plans with a plan.Runner, so that all of it stands in the
// journal and can be undone.
//
// Tasks live as long as the process. What they did stays; what they had still to
// do is forgotten.
//
// Out of scope: drawing, and how servers and plans change anything.
package task
