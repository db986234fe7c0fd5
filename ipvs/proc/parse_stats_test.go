package proc

import (
	"strings"
	"testing"

	"lvsdeck/ipvs"
)

func TestParseStats(t *testing.T) {
	got, err := ParseStats(read(t, "ip_vs_stats"))
	want := ipvs.Stats{
		Total: ipvs.Traffic{Conns: 1, InPackets: 1, OutPackets: 1, InBytes: 60, OutBytes: 40},
		Rate:  ipvs.Traffic{InBytes: 7, OutBytes: 5},
	}
	if err != nil || got != want {
		t.Errorf("want %+v\n got %+v, %v", want, got, err)
	}
}

func TestParsePerCPU(t *testing.T) {
	text := read(t, "ip_vs_stats_percpu")
	want := ipvs.Traffic{Conns: 1, InPackets: 1, OutPackets: 1, InBytes: 60, OutBytes: 40}
	if got, err := ParsePerCPU(text); err != nil || got != want {
		t.Errorf("want %+v\n got %+v, %v", want, got, err)
	}
	// A second CPU, whose counters are as wide as they come.
	row := "  A FFFFFFFFFFFFFFFE       10       20               30               40\n"
	text = []byte(strings.Replace(string(text), "  ~ ", row+"  ~ ", 1))
	want = ipvs.Traffic{Conns: 1<<64 - 1, InPackets: 17, OutPackets: 33, InBytes: 108, OutBytes: 104}
	if got, err := ParsePerCPU(text); err != nil || got != want {
		t.Errorf("want %+v\n got %+v, %v", want, got, err)
	}
}

func TestParseStatsErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       `/proc/net/ip_vs_stats line 0: expected rates of the whole table on line 6, found "the end of the file"`,
		"a\nb\n1 2 3 x 5\n":                      `/proc/net/ip_vs_stats line 3: expected bytes in, in hexadecimal, found "x"`,
		"a\nb\n1 2 3 4\n":                        `/proc/net/ip_vs_stats line 3: expected bytes out, in hexadecimal, found ""`,
		"a\nb\n1 2 3 4 5\n":                      `/proc/net/ip_vs_stats line 3: expected rates of the whole table on line 6, found "the end of the file"`,
		"\n\n1 2 3 4 " + strings.Repeat("F", 17): `/proc/net/ip_vs_stats line 3: expected bytes out, in hexadecimal, found "FFFFFFFFFFFFFFFFF"`,
	} {
		if _, err := ParseStats([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q:\n want %s\n got  %v", text, want, err)
		}
	}
	for text, want := range map[string]string{
		"":                  `/proc/net/ip_vs_stats_percpu line 0: expected the row ~, found "the end of the file"`,
		"a\nb\nx 2 3 4 5 6": `/proc/net/ip_vs_stats_percpu line 3: expected a CPU number in hexadecimal, or ~, found "x"`,
	} {
		if _, err := ParsePerCPU([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q:\n want %s\n got  %v", text, want, err)
		}
	}
}

func FuzzParseStats(f *testing.F) {
	f.Add(read(f, "ip_vs_stats"))
	f.Fuzz(func(t *testing.T, text []byte) { checkError(t, "ip_vs_stats", second(ParseStats(text))) })
}

func FuzzParsePerCPU(f *testing.F) {
	f.Add(read(f, "ip_vs_stats_percpu"))
	f.Fuzz(func(t *testing.T, text []byte) { checkError(t, "ip_vs_stats_percpu", second(ParsePerCPU(text))) })
}

func second[T any](_ T, err error) error { return err }

// checkError wants an error, if any, to say where and what, and not too much.
func checkError(t *testing.T, file string, err error) {
	if err != nil && (!strings.HasPrefix(err.Error(), "/proc/net/"+file+" line ") || len(err.Error()) > 500) {
		t.Errorf("an error that does not say where and what: %v", err)
	}
}
