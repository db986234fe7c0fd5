package ipvsadm

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/persist/adm"
	"lvsdeck/persist/adm/admtest"
)

// TestRulesThroughBoth lets random rules pass from one program to the other:
// what we write they restore, what they save we read and restore.
func TestRulesThroughBoth(t *testing.T) {
	tw := newTwins(t)
	services, servers := 0, 0
	for seed := range uint64(60) {
		rules := possible(admtest.Rules(seed))
		text := rulesText(t, rules)
		tw.reset()

		if o := tw.by(tw.theirs, text, "ipvsadm", "-R"); o != (outcome{}) {
			t.Fatalf("seed %d: they do not restore what we write: %v\n%s", seed, o, text)
		}
		if got := rulesText(t, running(t, tw.theirTable)); got != text {
			t.Fatalf("seed %d: they made of\n%sthis:\n%s", seed, text, got)
		}

		saved := tw.by(tw.theirs, "", "ipvsadm", "-Sn")
		read, err := adm.ReadRules(strings.NewReader(saved.out))
		if err != nil {
			t.Fatalf("seed %d: we do not read what they save: %v\n%s", seed, err, saved.out)
		}
		want := rulesText(t, lossy(rules))
		if got := rulesText(t, read); got != want {
			t.Fatalf("seed %d: of their\n%swe read\n%s, want\n%s", seed, saved.out, got, want)
		}

		tw.ours.Do(func() {
			if o := imitate(t.Context(), tw.ourTable, []string{"ipvsadm", "-R"}, saved.out); o != (outcome{}) {
				t.Fatalf("seed %d: we do not restore what they save: %v\n%s", seed, o, saved.out)
			}
			ours := imitate(t.Context(), tw.ourTable, []string{"ipvsadm", "-Sn"}, "")
			if sorted(ours.out) != sorted(saved.out) {
				t.Fatalf("seed %d: they save\n%sand we\n%s", seed, saved.out, ours.out)
			}
		})
		services += len(rules.Services)
		servers += strings.Count(text, "-a ")
	}
	t.Logf("%d services with %d servers", services, servers)
}

func (tw *twins) by(h interface{ Do(func()) }, stdin string, args ...string) (o outcome) {
	h.Do(func() { o = execute(tw.T, args, stdin) })
	return o
}

// possible leaves out of rules what the real program can not save or this host
// not have: large marks, flag-3 of hashing schedulers, other interfaces,
// schedulers that do not exist.
func possible(r ipvs.Rules) ipvs.Rules {
	r.Daemons, r.Timeouts = nil, nil
	seen := map[ipvs.ServiceID]bool{}
	var kept []ipvs.ServiceRules
	for _, s := range r.Services {
		s.Mark &= 1<<31 - 1
		if s.Scheduler == "sh" || s.Scheduler == "mh" {
			s.SchedFlags &^= ipvs.SchedFlag3
		}
		if strings.HasPrefix(s.Scheduler, "a_") {
			s.Scheduler = "wrr"
		}
		if s.Protocol == 0 && s.Mark == 0 || seen[s.ServiceID] {
			continue
		}
		seen[s.ServiceID] = true
		kept = append(kept, s)
	}
	r.Services = kept
	r.Sort()
	return r
}

// lossy is what of rules a save keeps.
func lossy(r ipvs.Rules) ipvs.Rules {
	var kept ipvs.Rules
	for _, s := range r.Services {
		if !s.Persistence.On {
			s.Persistence.Mask = ipvs.FullMask(s.Family)
		}
		s.Servers = append([]ipvs.Server(nil), s.Servers...)
		for i := range s.Servers {
			s.Servers[i].Upper, s.Servers[i].Lower = 0, 0
		}
		kept.Services = append(kept.Services, s)
	}
	return kept
}

// running reads rules from a table.
func running(t *testing.T, table ipvs.Table) ipvs.Rules {
	o, err := table.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var r ipvs.Rules
	for _, e := range o.Services {
		states, err := table.Servers(t.Context(), e.ServiceID)
		if err != nil {
			t.Fatal(err)
		}
		s := ipvs.ServiceRules{Service: e.Service}
		for _, state := range states {
			s.Servers = append(s.Servers, state.Server)
		}
		r.Services = append(r.Services, s)
	}
	return r
}

func rulesText(t *testing.T, r ipvs.Rules) string {
	var b strings.Builder
	if err := adm.WriteRules(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestTwinsOnLargeTable compares listings of many services, and tells how long
// both took.
func TestTwinsOnLargeTable(t *testing.T) {
	tw := newTwins(t)
	const services, servers = 400, 5
	var rules strings.Builder
	for i := range services {
		fmt.Fprintf(&rules, "-A -t 10.1.%d.%d:80 -s wrr\n", i/250, i%250)
		for k := range servers {
			fmt.Fprintf(&rules, "-a -t 10.1.%d.%d:80 -r 10.2.%d.%d:8080 -m -w %d\n", i/250, i%250, k, i%250, i*k)
		}
	}
	for _, c := range []struct{ line, stdin string }{{"-R", rules.String()}, {"-Ln", ""}, {"-Sn", ""}, {"-Ln --stats", ""}, {"-Ln --nosort", ""}, {"-C", ""}} {
		args := append([]string{"ipvsadm"}, words(c.line)...)
		start := time.Now()
		theirs := tw.by(tw.theirs, c.stdin, args...)
		middle := time.Now()
		host, table := tw.ours, tw.ourTable
		if strings.Contains(c.line, "nosort") {
			host, table = tw.theirs, tw.theirTable
		}
		var ours outcome
		host.Do(func() { ours = imitate(t.Context(), table, args, c.stdin) })
		t.Logf("%s of %d services with %d servers: they %v, we %v", c.line, services, servers*services,
			middle.Sub(start).Round(time.Millisecond), time.Since(middle).Round(time.Millisecond))
		if theirs != ours {
			t.Errorf("%s: they %.300v…\nwe %.300v…", c.line, theirs, ours)
		}
	}
}
