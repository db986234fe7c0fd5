package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"lvsdeck/ops/incident"
	"lvsdeck/ops/record"
	"lvsdeck/ops/report"
	"lvsdeck/persist"
	"lvsdeck/ui"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/plain"
)

// reportOptions are the flags of report.
type reportOptions struct {
	from, to, began, out string
	ascii                bool
}

func newReport() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report FILE",
		Short: "write the report of an incident from a recording, as Markdown",
		Long: "report reads a recording (lvsdeck record, or V in the console) and writes what one\n" +
			"writes after an incident: what changed, who is affected, who causes it, as far as\n" +
			"figures say; the time line; the rows that moved most, before and during; graphs;\n" +
			"and what checks found. On the host of the recording the incident log is in it, too.\n" +
			"Of a running director the console writes it (T, tab, w).",
		Args: takes("FILE"),
		RunE: func(_ *cobra.Command, args []string) error { return runReport(o, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "begin at a `time`: 14:03, 14:03:20, \"2026-03-01 14:03\", or -30m before the end")
	f.StringVar(&o.to, "to", "", "end at a `time`")
	f.StringVar(&o.began, "began", "", "the `time` when the incident began; otherwise log and figures say")
	f.StringVarP(&o.out, "output", "o", "", "a `file` to write, which only you can read; otherwise it goes to standard output")
	f.BoolVar(&o.ascii, "ascii", false, "draw with ASCII only")
	return cmd
}

// span is what the flags say of a recording's time.
func (o *reportOptions) span(f *record.File) (from, to, began time.Time, err error) {
	first, last := f.Span()
	from, to = first, last
	for _, flag := range []struct {
		name, typed string
		t           *time.Time
	}{{"--to", o.to, &to}, {"--from", o.from, &from}, {"--began", o.began, &began}} {
		if flag.typed == "" {
			continue
		}
		if *flag.t, err = ui.Moment(flag.typed, to, first, last); err != nil {
			return from, to, began, fmt.Errorf("%s %w", flag.name, err)
		}
	}
	if !from.Before(to) {
		err = fmt.Errorf("--from %s: must be before the end, %s", from.Local().Format(time.TimeOnly), to.Local().Format(time.TimeOnly))
	} else if !began.IsZero() && (began.Before(from) || began.After(to)) {
		err = fmt.Errorf("--began %s: must lie between %s and %s", began.Local().Format(time.TimeOnly), from.Local().Format(time.TimeOnly), to.Local().Format(time.TimeOnly))
	}
	return from, to, began, err
}

func runReport(o reportOptions, name string) error {
	f, err := record.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	from, to, began, err := o.span(f)
	if err != nil {
		return err
	}
	s, err := report.Recorded(f, from, to)
	if err != nil {
		return err
	}
	s.Began = began
	if here := hostName(); s.Host != here {
		s.NoLog = fmt.Sprintf("The incident log is on %s, and this is %s", s.Host, here)
	} else if s.Log, err = logOf(persist.DefaultDir); err != nil {
		s.NoLog = fmt.Sprintf("The incident log of this host cannot be read (%v)", err)
	}
	ink := paint.Blocks
	if o.ascii {
		ink = paint.Letters
	}
	r := report.Make(s)
	write := func(w io.Writer) error { return plain.IncidentReport(w, &r, ink) }
	if o.out == "" {
		return write(os.Stdout)
	}
	if err := persist.WriteNew(o.out, write); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("--output %s: there is such a file; choose another name or remove it", o.out)
	} else if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	return nil
}

// logOf is the incident log in a directory, or nil where nothing was ever kept.
func logOf(dir string) (*incident.History, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	store, err := openStore(dir)
	if err != nil {
		return nil, err
	}
	h, err := incident.OpenLog(store).Read()
	if err != nil {
		return nil, err
	}
	return &h, nil
}
