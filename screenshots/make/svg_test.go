package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"lvsdeck/lab/screen"
)

// picture draws what a script writes into a terminal of 20 by 3.
func picture(t *testing.T, writes string) string {
	t.Helper()
	term, err := screen.Open(20, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	if err := term.Start(exec.Command("printf", writes)); err != nil {
		t.Fatal(err)
	}
	if _, err := term.Wait(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	return string(draw(term.Frame(), `a & "b"`))
}

func TestPictureKeepsCells(t *testing.T) {
	for name, c := range map[string]struct {
		writes string
		want   []string
	}{
		"text in its column":   {"  one  two", []string{`<text x="18" y="14" textLength="27"`, `>one<`, `<text x="63" y="14" textLength="27"`}},
		"markup is text":       {"<&>", []string{"&lt;&amp;&gt;"}},
		"colours and bold":     {`\033[1;38;2;1;2;3mx`, []string{"fill:#010203;font-weight:bold"}},
		"reverse":              {`\033[7mx\033[m`, []string{`width="9" height="19" fill="` + foreground + `"`, "{fill:" + background + "}"}},
		"backgrounds":          {`\033[48;5;24mabc\033[m`, []string{`<rect x="0" y="0" width="27" height="19" fill="#005f87"/>`}},
		"bars as shapes":       {"▁█", []string{"M0 17h9v2h-9zM9 0h9v19h-9z"}},
		"the clock that stops": {"23:59:58", []string{">12:04:31<"}},
		"the title":            {"", []string{"a &amp; &#34;b&#34;</title>"}},
	} {
		svg := picture(t, c.writes)
		for _, want := range c.want {
			if !strings.Contains(svg, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, svg)
			}
		}
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: not XML: %v", name, err)
			}
		}
	}
}
