package incident

import (
	"slices"
	"strings"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/check"
)

// changes is what came and went between two reports, as far as it is more than a
// notice. What is not found by a check that could not look has not gone, as long as
// the table gives it connections.
func changes(before map[string]check.Finding, now *check.Report, s *ops.Sample) (all []Entry, after map[string]check.Finding) {
	after = map[string]check.Finding{}
	for _, f := range now.Findings {
		if f.Severity <= check.Notice {
			continue
		}
		id := findingID(f)
		if known, twice := after[id]; twice && known.Severity >= f.Severity {
			continue
		}
		after[id] = f
		if last, there := before[id]; !there || last.Severity != f.Severity {
			all = append(all, ofFinding(f, Found, began(f, now.Time)))
		}
	}
	for id, f := range before {
		if _, there := after[id]; there {
			continue
		}
		if slices.Contains(now.Blind, f.Check) && check.Given(s, f) {
			after[id] = f
		} else {
			all = append(all, ofFinding(f, Gone, now.Time))
		}
	}
	return all, after
}

// began is when a finding was first seen.
func began(f check.Finding, now time.Time) time.Time {
	if f.Since.IsZero() {
		return now
	}
	return f.Since
}

// fromLog is the findings that the log says are there: those that are not found by
// the first report of all have gone while nobody looked.
func fromLog(open map[string]Entry) map[string]check.Finding {
	all := map[string]check.Finding{}
	for id, e := range open {
		if e.Kind != Found {
			continue
		}
		f := check.Finding{Check: e.Check, Service: e.Row.Service, Server: e.Row.Server, Short: e.Text}
		for s := check.Notice; s <= check.Fault; s++ {
			if strings.EqualFold(s.String(), e.Severity) {
				f.Severity = s
			}
		}
		if findingID(f) == id {
			all[id] = f
		}
	}
	return all
}
