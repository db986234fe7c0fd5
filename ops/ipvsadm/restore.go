package ipvsadm

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// restore carries out one command line after the other, each as soon as it is
// read: programs keep a pipe open to it. The exit status is that of the last
// line, or of the one that ended it all.
func (p *program) restore() int {
	in := bufio.NewReader(p.In)
	last := exitOK
	for {
		text, err := in.ReadString('\n')
		args := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) })
		args = slices.DeleteFunc(args, func(a string) bool { return a == "ipvsadm" })
		if len(args) > 0 {
			var ends bool
			if last, ends = p.run(args, nil); ends {
				return last
			}
		}
		if err == io.EOF {
			return last
		}
		if err != nil {
			fmt.Fprintln(p.Err, err)
			return exitListing
		}
	}
}
