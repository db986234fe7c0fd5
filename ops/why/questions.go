package why

import (
	"context"
	"fmt"
	"slices"

	"lvsdeck/ops/check"
)

// question is one that is asked. Findings answer it, or else what it looks at.
type question struct {
	topic, asks string
	before      func(*Walk, context.Context) error // finds out what it and later ones need
	look        func(*Walk) Answer
	checks      []string // whose findings are the answer
	symptoms    bool     // those checks' are, whatever explains them
	rest        bool     // findings are that no other question takes
}

// questions stand in the order in which they are asked.
var questions = []question{
	{
		topic: "changes", asks: "Who manages the table, and what has changed in the last hour?", before: (*Walk).around,
		look: changes, checks: []string{"owner", "sync daemon"},
	},
	{
		topic: "traffic", asks: "Do clients' packets come to this director?",
		look: traffic, checks: []string{"vip", "link", "mark"},
	},
	{
		topic: "servers", asks: "Is there a server to give clients to?",
		look: takers, checks: []string{"no server", "scheduler", "threshold"},
	},
	{
		topic: "handshakes", asks: "Do connections get going?",
		look: handshakes, checks: []string{"flood", "half-open", "answers", "handshakes"}, symptoms: true,
	},
	{
		topic: "one or all", asks: "Is it one server, or all of them?",
		look: oneOrAll,
	},
	{
		topic: "way there", asks: "Can the servers be reached?",
		look: wayThere, checks: []string{"route", "neighbour", "ports"},
	},
	{
		topic: "way back", asks: "Are the servers' answers routed on?",
		look: wayBack, checks: []string{"forwarding", "redirects", "shortcut"},
	},
	{
		topic: "firewall", asks: "Does the firewall let all of it through?",
		look: filtered, checks: []string{"firewall", "conntrack", "full nat", "conntrack table", "iptables"},
	},
	{
		topic: "answers", asks: "Do the servers answer when they are asked on their way?", before: (*Walk).ask,
		look: asked, checks: []string{check.OfServer},
	},
	{
		topic: "the VIP", asks: "Does anybody else answer for the VIP?",
		look: claimed, checks: []string{check.OfVIP},
	},
	{
		topic: "shares", asks: "Does each server get the clients that it should?",
		look: shares, checks: []string{"share", "drain", "removed server"},
	},
	{
		topic: "the rest", asks: "What else is odd?", rest: true,
		look: func(*Walk) Answer { return fine("nothing is seen from here") },
	},
}

// takes tells whether a finding is an answer.
func (q question) takes(f check.Finding) bool {
	if !q.rest {
		return slices.Contains(q.checks, f.Check)
	}
	return !slices.ContainsFunc(questions, func(o question) bool { return slices.Contains(o.checks, f.Check) })
}

func fine(says string, args ...any) Answer {
	return Answer{Mark: Fine, Says: fmt.Sprintf(says, args...)}
}

func look(says string, args ...any) Answer {
	return Answer{Mark: Look, Says: fmt.Sprintf(says, args...)}
}

func unknown(says string, args ...any) Answer {
	return Answer{Mark: Unknown, Says: fmt.Sprintf(says, args...)}
}

func notHere(says string, args ...any) Answer {
	return Answer{Mark: NotHere, Says: fmt.Sprintf(says, args...)}
}

func (a *Answer) because(format string, args ...any) {
	a.Evidence = append(a.Evidence, fmt.Sprintf(format, args...))
}
