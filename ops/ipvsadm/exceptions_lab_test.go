package ipvsadm

import "strings"

// exceptions are all differences between both programs, the same as in
// docs/ipvsadm.md. Each makes of what they did what we should have done.
var exceptions = map[string]func(theirs outcome, ours *outcome) outcome{
	// Help is in words of our own.
	"help": func(theirs outcome, ours *outcome) outcome {
		if len(ours.out) > 1000 || strings.Contains(ours.err, "-n") {
			theirs.out, theirs.err = ours.out, ours.err
		}
		return theirs
	},

	// The version says also who speaks.
	"version": func(theirs outcome, _ *outcome) outcome {
		theirs.out = strings.Replace(theirs.out, ")\n", "), spoken by lvsdeck\n", 1)
		return theirs
	},

	// They subtract addresses and marks as signed numbers to compare them.
	"order": func(theirs outcome, ours *outcome) outcome {
		if sorted(theirs.out) == sorted(ours.out) {
			theirs.out = ours.out
		}
		return theirs
	},

	// They write marks from 2147483648 on as negative numbers.
	"mark": func(theirs outcome, ours *outcome) outcome {
		theirs.out = strings.ReplaceAll(theirs.out, "-1294967296", "3000000000")
		if sorted(theirs.out) == sorted(ours.out) {
			theirs.out = ours.out
		}
		return theirs
	},

	// They forget flag-3 of the schedulers sh and mh.
	"flag-3": func(theirs outcome, _ *outcome) outcome {
		theirs.out = strings.NewReplacer(
			" -b \n", " -b flag-3\n", " ()", " (flag-3)",
			"sh-port\n", "sh-port,flag-3\n", "sh-port)", "sh-port,flag-3)",
		).Replace(theirs.out)
		return theirs
	},

	// They crash on flags that are only commas.
	"crash": func(theirs outcome, _ *outcome) outcome {
		if theirs.code == -1 {
			theirs.code = exitOK
		}
		return theirs
	},

	// They cut names of host and port at 59 characters also where they save.
	"cut": func(theirs outcome, _ *outcome) outcome {
		theirs.out = strings.Replace(theirs.out, "which-they-cut.ex ", "which-they-cut.example:http ", 1)
		return theirs
	},

	// They lose a last line that ends in blanks and no new line.
	"last-line": func(theirs outcome, _ *outcome) outcome { return theirs },
}

// divergent exceptions leave different tables behind.
var divergent = map[string]bool{"crash": true, "last-line": true}
