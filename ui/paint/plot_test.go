package paint

import (
	"math"
	"strings"
	"testing"
)

func TestPlot(t *testing.T) {
	values := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, -1, -1, 8, 8, 4, 0, .1}
	peaks := []float32{0, 1, 2, 3, 8, 8, 6, 7, 8, -1, -1, 8, 8, 8, 8, 8}
	for _, c := range []struct {
		ink  Ink
		want string
	}{
		{Dots, `
		|  ⢉⣴⡇⢸⡏⠉|
		|⣀⣴⣿⣿⡇⢸⣿⣀|`},
		{Blocks, `
		|    ·▂▄▆█  ██···|
		|▁▂▄▆█████  ███▁▁|`},
		{Letters, `
		|    '.::#  ##'''|
		|_.::#####  ###_.|`},
	} {
		var got []string
		for _, line := range c.ink.Plot(values, peaks, 8, 16/c.ink.Across(), 2) {
			if len(line) != 16/c.ink.Across() {
				t.Errorf("ink %d: want lines of one width, got %d cells", c.ink, len(line))
			}
			got = append(got, "\n\t\t|"+string(line)+"|")
		}
		if strings.Join(got, "") != c.want {
			t.Errorf("ink %d: want%s\ngot%s", c.ink, c.want, strings.Join(got, ""))
		}
	}
}

// TestPlotTakesAnything holds that no value falls out of the picture.
func TestPlotTakesAnything(t *testing.T) {
	inf := float32(math.Inf(1))
	values := []float32{inf, -inf, 1e30, -5, 0, inf - inf, 3}
	for _, k := range []Ink{Dots, Blocks, Letters} {
		for _, top := range []float32{0, 1, 1e-30, inf} {
			for height := range 4 {
				k.Plot(values, values, top, 3, height)
				k.Plot(values, nil, top, 9, height)
			}
		}
	}
}

func BenchmarkPlot(b *testing.B) {
	values := make([]float32, 320)
	for i := range values {
		values[i] = float32(i % 50)
	}
	b.ReportAllocs()
	for b.Loop() {
		Dots.Plot(values, values, 50, 160, 12)
	}
}
