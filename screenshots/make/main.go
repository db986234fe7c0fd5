// Command make takes the pictures in screenshots/: it runs the program in a
// terminal, types, waits for what must be there, and draws the screen as SVG.
//
//	make screenshots
//	go run ./screenshots/make -program bin/lvsdeck -to screenshots [picture ...]
//
// Out of scope: pictures of anything but the demos, and other formats than SVG
// (rsvg-convert makes a PNG of one).
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lvsdeck/lab/screen"
)

// patience is how long a step may take: the incident unfolds in real time.
const patience = 90 * time.Second

func main() {
	program := flag.String("program", "bin/lvsdeck", "the program to take pictures of")
	to := flag.String("to", "screenshots", "the directory for the pictures")
	flag.Parse()
	for _, s := range shots {
		if flag.NArg() > 0 && !slices.Contains(flag.Args(), s.name) {
			continue
		}
		file := filepath.Join(*to, s.name+".svg")
		if err := s.take(*program, file); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", s.name, err)
			os.Exit(1)
		}
		fmt.Println(file)
	}
}

// take makes one picture.
func (s *shot) take(program, file string) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	t, err := screen.Open(s.width, s.height)
	if err != nil {
		return err
	}
	defer t.Close()
	cmd := exec.Command(program, s.args...)
	cmd.Env = append([]string{"TERM=xterm-256color", "LC_ALL=C.UTF-8"}, s.env...)
	if err := t.Start(cmd); err != nil {
		return err
	}
	for _, step := range s.steps {
		if err := t.Send(step.keys); err != nil {
			return err
		}
		if err := t.WaitFor(patience, fmt.Sprintf("%q", step.until), func(f *screen.Frame) bool { return f.Has(step.until...) }); err != nil {
			return err
		}
	}
	if strange := t.Unknown(); len(strange) > 0 {
		return fmt.Errorf("the picture may be wrong; sequences not known: %q", strange)
	}
	title := strings.Join(append([]string{"lvsdeck"}, s.args...), " ")
	return os.WriteFile(file, draw(t.Frame(), title), 0o644)
}
