// Package why walks an experienced operator's questions about one service or one
// of its servers, one after the other: whose table is it and what has changed, do
// clients' packets come, is there a server for them, do handshakes end, with one
// server or all, can the servers be reached, are answers routed on, does the
// firewall let all through, do the servers answer, who else answers for the VIP,
// are clients shared out as they should be, and what else is odd.
//
//	verdict, err := why.Begin(why.FromWatch(watch), place, false).All(ctx, func(a why.Answer) { … })
//
// Most answers are findings of package check about the service; figures say what
// the others rest on. No packet is sent unless a Probe is given. The verdict is
// what explains it, worst first, or else where to look next, and commands that
// capture the service's packets where they pass.
//
// Out of scope: what is wrong with other services, running what is offered, and
// capturing by itself.
package why
