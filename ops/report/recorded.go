package report

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"lvsdeck/ops/history"
	"lvsdeck/ops/record"
)

// Recorded reads what a recording has of a span of time. Parts of it that cannot be
// read are passed over and named in the report.
func Recorded(f *record.File, from, to time.Time) (Sources, error) {
	s := Sources{Host: f.Head().Host, Of: "the recording " + filepath.Base(f.Name()), From: from, To: to, History: history.New()}
	var wrong error
	for c := f.From(from); ; {
		sample, _, err := c.Next()
		if err == io.EOF || err == nil && sample.Time.After(to) {
			break
		}
		if err != nil {
			s.lacks(err)
			wrong = err
			c.Skip()
			continue
		}
		s.History.Add(sample)
		s.Latest, s.Checks = sample, c.Report()
	}
	if s.Latest == nil && wrong != nil {
		return s, wrong
	}
	if cut := f.Cut(); cut != nil {
		s.lacks(cut)
	}
	if n := f.LostMarks(); n > 0 {
		s.lacks(fmt.Errorf("%s: too many changes and findings were recorded; the oldest %d are left out", f.Name(), n))
	}
	s.History.Mark(f.Marks()...)
	return s, nil
}

// lacks notes what could not be read.
func (s *Sources) lacks(err error) {
	const most = 5 // a file that is damaged all over says so often enough
	if len(s.Lacks) < most {
		s.Lacks = append(s.Lacks, fmt.Sprintf("A part of the recording: %v.", err))
	}
}
