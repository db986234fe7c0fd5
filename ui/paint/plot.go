package paint

// Ink is what a plot is drawn with.
type Ink uint8

// The inks: dots, two by four in a cell; bars in eighths of a cell; and ASCII.
const (
	Dots Ink = iota
	Blocks
	Letters
)

// Across is how many values stand side by side in a cell.
func (k Ink) Across() int {
	if k == Dots {
		return 2
	}
	return 1
}

// blocks and letters are a cell filled from below.
var (
	blocks  = []rune(" ▁▂▃▄▅▆▇█")
	letters = []rune(" .:#")
)

// braille is the bits of a cell's left and right dots from below.
var braille = [2][4]rune{{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}}

const noDots = 0x2800

// levels is how many a cell has.
func (k Ink) levels() int {
	switch k {
	case Dots:
		return len(braille[0])
	case Blocks:
		return len(blocks) - 1
	}
	return len(letters) - 1
}

// Plot draws values as an area over zero in lines of cells, the uppermost first,
// with Across values in each cell. The peaks, where they stand out of the area, are
// single dots well above it. A negative value is unknown and stays blank; a known one
// has the lowest dot at least, which tells zero from a gap.
func (k Ink) Plot(values, peaks []float32, top float32, width, height int) [][]rune {
	cells := make([]rune, width*height)
	for i := range cells {
		cells[i] = ' '
	}
	lines := make([][]rune, height)
	for y := range lines {
		lines[y] = cells[y*width : (y+1)*width]
	}
	per := k.levels()
	for i, v := range values[:min(len(values), width*k.Across())] {
		full := heightOf(v, top, per*height)
		for y := 0; y*per < full; y++ {
			k.fill(&lines[height-1-y][i/k.Across()], i%k.Across(), min(per, full-y*per))
		}
		if v == 0 && k == Letters && height > 0 {
			lines[height-1][i] = '_'
		}
		if i >= len(peaks) {
			continue
		}
		if peak := heightOf(peaks[i], top, per*height); peak > full+per*height/standsOut {
			k.dot(&lines[height-1-(peak-1)/per][i/k.Across()], i%k.Across(), (peak-1)%per)
		}
	}
	return lines
}

// standsOut is the part of a plot's height by which a peak must stand out: where it
// goes up and down with the values around it, it tells nothing.
const standsOut = 8

// heightOf is how many of a column's levels are filled for a value.
func heightOf(v, top float32, all int) int {
	switch {
	case v < 0 || top <= 0 || all == 0:
		return 0
	case v >= top:
		return all
	}
	return max(1, min(all, int(v/top*float32(all)+.5)))
}

// fill fills a cell, or one of its columns, from below.
func (k Ink) fill(cell *rune, column, levels int) {
	switch k {
	case Dots:
		for level := range levels {
			k.dot(cell, column, level)
		}
	case Blocks:
		*cell = blocks[levels]
	case Letters:
		*cell = letters[levels]
	}
}

// dot puts one dot at a level of a cell that is not full up to there.
func (k Ink) dot(cell *rune, column, level int) {
	switch {
	case k == Dots && *cell == ' ':
		*cell = noDots | braille[column][level]
	case k == Dots:
		*cell |= braille[column][level]
	case *cell != ' ':
	case k == Blocks:
		*cell = '·'
	default:
		*cell = '\''
	}
}
