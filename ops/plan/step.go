package plan

import (
	"context"
	"errors"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
)

// Step is one reversible act. Implementations are plain data, values that
// encoding/json writes and reads, and stand in the table of kinds (kinds.go).
type Step interface {
	// String is the step in the operator's words: "drain 10.0.0.1:80 of TCP
	// 203.0.113.10:443: weight 100 to 0".
	String() string

	// Command is the same for a shell, to learn from and to paste: one or more
	// lines.
	Command() string

	// Row names what it acts on. Steps of one plan on one row follow each other:
	// each begins where the one before has ended.
	Row() string

	// Counts is what it adds, changes and removes.
	Counts() Counts

	// Done tells whether things are already as the step wants them.
	Done(context.Context, Target) (bool, error)

	// Do does it: whole, or not at all. It answers ErrAlready when there is
	// nothing to do, and with a *Moved when things are neither as they were nor
	// as they should be. Where one act takes several calls, and a kill may have
	// come between them (Target.Resumed), Do takes up what is there.
	Do(context.Context, Target) error

	// Undo is the step that takes this one back, or nil when nothing can.
	Undo() Step
}

// Target is what steps act on.
type Target struct {
	Table   ipvs.Table
	Sysctls netcfg.Sysctls  // nil where there are none to be changed
	Host    netcfg.Settings // nil where there is none to be changed

	// Resumed: the step may have been begun by a process that was killed.
	Resumed bool
}

// Counts are rows added, changed and removed.
type Counts struct {
	Add, Change, Remove int
}

// Plus adds up.
func (c Counts) Plus(o Counts) Counts {
	return Counts{c.Add + o.Add, c.Change + o.Change, c.Remove + o.Remove}
}

// What a step can answer besides the errors of its target.
var (
	ErrAlready      = errors.New("it is so already")
	ErrMoved        = errors.New("changed since you looked") // every *Moved is one
	ErrIrreversible = errors.New("this cannot be taken back")
)
