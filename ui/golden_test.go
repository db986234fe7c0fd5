package ui

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// scene is one screen: a sample, what was done to it, and how it is shown.
type scene struct {
	name   string
	sample func() *ops.Sample
	opts   func(*Options)
	keys   []string
	typed  string
	then   func(*Model, *fakeSource)
}

var scenes = []scene{
	{name: "services"},
	{name: "open-detail", keys: []string{"o", "down", "tab"}},
	{name: "detail-service", keys: []string{"tab"}},
	{name: "traffic", keys: []string{"o", "2", ">", ">"}},
	{name: "totals", keys: []string{"3"}},
	{name: "limits", keys: []string{"o", "4"}},
	{name: "problems", keys: []string{"!"}},
	{name: "filter", keys: []string{"/"}, typed: "10.0.3 !:80"},
	{name: "no-match", keys: []string{"/"}, typed: "nothing like this"},
	{name: "marks", keys: []string{"o", "space", "space", "down", "space"}},
	{name: "help", keys: []string{"?"}},
	{name: "palette", keys: []string{":"}, typed: "sort"},
	{name: "empty", sample: func() *ops.Sample { return sample() }},
	{name: "starting", sample: func() *ops.Sample { return nil }},
	{name: "ascii", opts: func(o *Options) { o.ASCII = true }, keys: []string{"o", "tab"}},
	{name: "demo-read-only", opts: func(o *Options) {
		o.Demo = "steady"
		o.Limits = ipvs.Limits{ReadOnly: true, Why: "no CAP_NET_ADMIN", Missing: []string{"rates", "thresholds"}}
	}},
	{name: "paused", keys: []string{"p"}, then: func(m *Model, src *fakeSource) {
		later := site()
		later.Seq, later.Time = 2, noon.Add(12*time.Second)
		src.latest.Store(later)
		m.Update(sampleMsg{})
	}},
	{name: "changed", keys: []string{"o"}, then: func(m *Model, src *fakeSource) {
		next := site()
		next.Seq = 2
		r := next.Services[0].Servers[0]
		r.Active, r.Rate.Conns = r.Active+7, 0
		src.latest.Store(next)
		m.Update(sampleMsg{})
	}},
	{name: "estimator", sample: func() *ops.Sample {
		s := site()
		s.EstimatorStopped = "totals and rates stand still: net.ipv4.vs.run_estimation is 0"
		return s
	}},
	{name: "never-read", sample: func() *ops.Sample {
		return &ops.Sample{Err: ipvs.Refused(ipvs.OpList, "", 1), Trend: &ops.Trend{}}
	}, keys: []string{"p"}},
	{name: "missed", sample: func() *ops.Sample {
		s := site()
		s.Missed = context.DeadlineExceeded
		return s
	}},
	{name: "failed", then: func(m *Model, src *fakeSource) {
		s := site()
		s.Seq, s.Err = 2, ipvs.Refused(ipvs.OpList, "", 1)
		src.latest.Store(s)
		m.Update(sampleMsg{})
	}},
}

var sizes = [][2]int{{60, 16}, {80, 24}, {132, 43}}

func (sc scene) play(t *testing.T, width, height int, p colorprofile.Profile) *Model {
	t.Helper()
	make := site
	if sc.sample != nil {
		make = sc.sample
	}
	m, src := console(t, make(), width, height, sc.opts)
	m.Update(tea.ColorProfileMsg{Profile: p})
	press(m, sc.keys...)
	typed(m, sc.typed)
	if sc.then != nil {
		sc.then(m, src)
	}
	return m
}

// TestScreens compares every scene at every size with its golden file: the text,
// and below it the styles, a letter for each, with what the letters mean.
func TestScreens(t *testing.T) {
	for _, sc := range scenes {
		for _, size := range sizes {
			name := fmt.Sprintf("%s-%dx%d", sc.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				m := sc.play(t, size[0], size[1], colorprofile.ANSI256)
				plain := grid(m)
				got := plain + "\n" + styles(m)
				golden(t, name, got)
				if mono := grid(sc.play(t, size[0], size[1], colorprofile.ASCII)); mono != plain {
					t.Errorf("without colour the text differs:\n%s", mono)
				}
			})
		}
	}
}

// TestScreensWithoutColour keeps the styles of the main screens where colour is
// missing: state must be readable by words, signs, bold and reverse.
func TestScreensWithoutColour(t *testing.T) {
	for _, sc := range scenes[:2] {
		for _, p := range []colorprofile.Profile{colorprofile.ASCII, colorprofile.ANSI} {
			name := fmt.Sprintf("%s-80x24-%s", sc.name, strings.ToLower(p.String()))
			t.Run(name, func(t *testing.T) {
				m := sc.play(t, 80, 24, p)
				golden(t, name, styles(m))
			})
		}
	}
}

// TestEveryScreenFits looks for lines wider than the terminal or too many of
// them, at sizes no golden file is kept for.
func TestEveryScreenFits(t *testing.T) {
	for _, sc := range scenes {
		for width := minWidth; width <= 220; width += 7 {
			for _, height := range []int{16, 17, 24, 50} {
				m := sc.play(t, width, height, colorprofile.ANSI256)
				lines := strings.Split(m.View().Content, "\n")
				if len(lines) != height {
					t.Fatalf("%s %dx%d: %d lines", sc.name, width, height, len(lines))
				}
				for _, line := range lines {
					if w := cells(line); w > width {
						t.Fatalf("%s %dx%d: %d cells: %q", sc.name, width, height, w, line)
					}
				}
			}
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "screens", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (new screens: go test ./ui -update, then look at them)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs.\nwant:\n%s\ngot:\n%s\n(if it is right: go test ./ui -update)", file, want, got)
	}
}
