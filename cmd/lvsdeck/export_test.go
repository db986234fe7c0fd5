package main

import (
	"encoding/base64"
	"strings"
	"testing"

	"lvsdeck/lab/screen"
)

// TestCopyReachesTheTerminal: what is copied is sent as OSC 52, which terminals keep.
func TestCopyReachesTheTerminal(t *testing.T) {
	t.Parallel()
	c := startDemo(t, ordinary())
	c.press("E", "Write or copy", "copy the screen")
	c.press(down+down+down+down, "A terminal may refuse")
	c.press(enter, "sent to the terminal's clipboard")
	want := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte("198.51.100.20:443"))
	c.until("the sequence on the wire", func(*screen.Frame) bool { return strings.Contains(string(c.Wire()), want) })
}
