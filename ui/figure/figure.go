// Package figure writes every number an operator reads, each in one form
// wherever it stands: at most four characters and a unit, truncated, never
// rounded up.
//
// Out of scope: colour, alignment, and what to show when a number is unknown.
package figure

import (
	"fmt"
	"strconv"
	"time"
)

// Unknown stands for a number that was not read or means nothing here.
const Unknown = "·"

var units = [...]byte{'k', 'M', 'G', 'T', 'P', 'E'}

// Count writes a number exactly up to 9999, then with three digits and a
// decimal unit: 12.3k, 310k, 1.20M.
func Count(n uint64) string {
	if n < 10_000 {
		return strconv.FormatUint(n, 10)
	}
	// Work in hundredths of the unit, so that three digits survive truncation.
	unit, div := 0, uint64(1_000)
	for n/div >= 1_000 && unit < len(units)-1 {
		div *= 1_000
		unit++
	}
	whole, rest := n/div, n%div
	buf := make([]byte, 0, 6)
	buf = strconv.AppendUint(buf, whole, 10)
	switch {
	case whole < 10:
		buf = append(buf, '.', digit(rest, div/10), digit(rest%(div/10), div/100))
	case whole < 100:
		buf = append(buf, '.', digit(rest, div/10))
	}
	return string(append(buf, units[unit]))
}

func digit(n, unit uint64) byte { return '0' + byte(n/unit) }

// Bits writes bytes per second as bits per second, with Count's forms. Beyond
// 2^61 bytes per second it stays at the largest.
func Bits(bytes uint64) string {
	if bytes > 1<<61-1 {
		bytes = 1<<61 - 1
	}
	return Count(bytes * 8)
}

// Exact writes all digits in groups of three: 12 304 221.
func Exact(n uint64) string {
	s := strconv.FormatUint(n, 10)
	out := make([]byte, 0, len(s)+len(s)/3)
	for i := range len(s) {
		if i > 0 && (len(s)-i)%3 == 0 {
			out = append(out, ' ')
		}
		out = append(out, s[i])
	}
	return string(out)
}

// Span writes a duration in its two largest parts: 12s, 3m04s, 2h05m, 3d04h.
func Span(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
}
