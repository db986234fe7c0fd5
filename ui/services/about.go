package services

import (
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// About is one line about the row under the cursor that is known elsewhere: of
// several parts, of which the last is cut when there is no room.
type About struct {
	Label string
	Parts []Part
}

// Part is a piece of text in a style.
type Part struct {
	Style paint.Style
	Text  string
}

// Abouts draws the lines.
func (v View) Abouts(width int) (lines []string) {
	for _, a := range v.About {
		line := v.Theme.Line(paint.Ground, width).Space(1).Left(paint.Rest, a.Label, labelWidth, "").Space(1)
		for _, p := range a.Parts {
			line.Put(p.Style, text.Cut(text.Clean(p.Text), line.Room()-1, v.Signs.Cut)).Space(3)
		}
		lines = append(lines, line.String())
	}
	return lines
}
