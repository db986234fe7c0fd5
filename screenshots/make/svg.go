package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"

	"lvsdeck/lab/screen"
)

// Measures in pixels. A cell has the proportions of common monospace fonts;
// where a viewer's font differs, textLength keeps the columns.
const (
	cellWidth  = 9
	cellHeight = 19
	fontSize   = 15
	baseline   = 14 // from a cell's top
	margin     = 12
	titleBar   = 30
)

const fonts = `"DejaVu Sans Mono","Menlo","Consolas","Liberation Mono",monospace`

// clock is the only thing in a picture that is never the same twice.
var clock = regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`)

// draw makes a picture of a frame in a plain window.
func draw(f *screen.Frame, title string) []byte {
	width, height := f.Width()*cellWidth+2*margin, f.Height()*cellHeight+2*margin+titleBar
	var grounds, letters bytes.Buffer
	looks := newLooks()
	for y := range f.Height() {
		for _, r := range runs(f, y) {
			l := looks.of(r)
			if l.ground != background {
				fmt.Fprintf(&grounds, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", r.x*cellWidth, y*cellHeight, r.width*cellWidth, cellHeight, l.ground)
			}
			letters.WriteString(r.draw(y, l))
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<style>text{font-family:%s;font-size:%dpx;white-space:pre}%s</style>\n", escape(title), fonts, fontSize, looks.css())
	drawWindow(&b, width, height, title)
	fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", margin, titleBar+margin)
	b.Write(grounds.Bytes())
	b.Write(clock.ReplaceAll(letters.Bytes(), []byte("12:04:31")))
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

func drawWindow(b *bytes.Buffer, width, height int, title string) {
	fmt.Fprintf(b, `<rect x=".5" y=".5" width="%d" height="%d" rx="8" fill="%s" stroke="#3c4048"/>`+"\n", width-1, height-1, background)
	fmt.Fprintf(b, `<path d="M.5 %dh%d" stroke="#2b2f36"/>`+"\n", titleBar, width-1)
	for i := range 3 {
		fmt.Fprintf(b, `<circle cx="%d" cy="%d" r="5" fill="#3c4048"/>`, 18+i*18, titleBar/2)
	}
	fmt.Fprintf(b, "\n"+`<text x="%d" y="%d" text-anchor="middle" fill="#8a919c">%s</text>`+"\n", width/2, titleBar/2+5, escape(title))
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
