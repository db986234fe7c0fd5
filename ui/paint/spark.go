package paint

import "strings"

// Spark draws the last points of a series as bars, one cell each, aligned to the
// right. The foot is zero; the top is the largest point shown, or twice the mean
// of the whole series if that is more, and never less than leastTop: a steady row stands at half height, and
// rise and fall are seen against its own past. A negative point is unknown and
// stays blank. Whatever is above zero gets at least the lowest bar.
func (g *Signs) Spark(points []float32, width int) string {
	if width <= 0 {
		return ""
	}
	top := max(2*mean(points), leastTop)
	if len(points) > width {
		points = points[len(points)-width:]
	}
	for _, p := range points {
		top = max(top, p)
	}
	var b strings.Builder
	b.Grow(width * 3)
	for range width - len(points) {
		b.WriteByte(' ')
	}
	for _, p := range points {
		b.WriteString(g.Bars[g.level(p, top)])
	}
	return b.String()
}

// level is 0 for unknown, 1 for zero, up to the highest bar for top.
func (g *Signs) level(p, top float32) int {
	highest := len(g.Bars) - 1
	switch {
	case p < 0:
		return 0
	case p == 0 || top <= 0:
		return 1
	}
	return min(highest, 2+int(p/top*float32(highest-2)+0.5))
}

// leastTop keeps a single connection in minutes from standing like a storm.
const leastTop = 2

// mean of the known points.
func mean(points []float32) float32 {
	var sum float32
	n := 0
	for _, p := range points {
		if p >= 0 {
			sum += p
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float32(n)
}
