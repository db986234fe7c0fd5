// Command labrun runs a program in the lab: in a real Linux kernel with IPVS,
// in a virtual machine, as its root. It ends with the program's exit status.
//
//	go test -exec "$PWD/bin/labrun" ./ipvs/...
//	labrun -t bash
//
// The program must be static (CGO_ENABLED=0); a name without a slash means one
// of the guest's own. testdata beside it comes along, and variables that begin
// with LVSDECK_. A Go test that skips in the lab has failed: it was sent there
// because it can run nowhere else.
//
// The kernel is the one that apt would install here. LVSDECK_LAB_SUITE takes
// another suite's, such as bookworm-backports or trixie-backports.
//
// The same binary is the guest's first program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"lvsdeck/lab/guest"
	"lvsdeck/lab/vm"
)

func main() {
	if os.Getpid() == 1 {
		guest.Main()
	}
	ctx, stop := signal.NotifyContext(context.Background(),
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	code, err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "labrun:", err)
		code = exitTrouble
	}
	os.Exit(code)
}

// exitTrouble tells trouble with the lab from the program's own failures.
const exitTrouble = 125

// list is a flag that can be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func run(ctx context.Context, args []string) (int, error) {
	flags := flag.NewFlagSet("labrun", flag.ContinueOnError)
	terminal := flags.Bool("t", false, "run the program on this terminal")
	memory := flags.Int("m", 512, "the machine's memory in `MiB`")
	timeout := flags.Duration("timeout", 0, "end the machine after this time (a Go test's own -test.timeout sets it, too)")
	out := flags.String("out", "", "directory for the files that the program leaves in $LVSDECK_LAB_OUT")
	update := flags.Bool("update", false, "make the lab's system anew from the newest packages")
	console := flags.Bool("console", false, "show the kernel's messages on standard error")
	var added list
	flags.Var(&added, "add", "take a `file` along, which the program finds on its PATH (again for more)")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: labrun [flags] program [argument ...]")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0, nil
		}
		return exitTrouble, nil // flag has said it
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return exitTrouble, nil
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	m := vm.Machine{
		Init:    self,
		Files:   map[string]string{},
		Job:     guest.Job{Program: flags.Arg(0), Args: flags.Args()[1:], Env: environment()},
		Memory:  *memory,
		KVM:     os.Getenv("LVSDECK_LAB_KVM") == "1",
		Timeout: *timeout,
		Stdout:  os.Stdout,
		Out:     *out,
	}
	if *console {
		m.Console = os.Stderr
	}
	if err := addFiles(&m, added); err != nil {
		return 0, err
	}
	if m.System, err = vm.Prepare(ctx, os.Getenv("LVSDECK_LAB_SUITE"), *update); err != nil {
		return 0, err
	}
	defer m.System.Close()
	switch {
	case *terminal:
		return onTerminal(ctx, m)
	case isGoTest(m.Job.Args):
		return goTest(ctx, m)
	}
	return finish(m.Run(ctx))
}

// addFiles takes the program, what goes with it, and testdata along.
func addFiles(m *vm.Machine, added []string) error {
	if strings.Contains(m.Job.Program, "/") {
		added = append(added, m.Job.Program)
		m.Job.Program = filepath.Join(guest.ProgramDir, filepath.Base(m.Job.Program))
	}
	for _, path := range append(added, m.Init) {
		if err := vm.CheckStatic(path); err != nil {
			return err
		}
		if path != m.Init {
			m.Files[filepath.Join(guest.ProgramDir, filepath.Base(path))] = path
		}
	}
	if _, err := os.Stat("testdata"); err == nil {
		m.Files[filepath.Join(guest.WorkDir, "testdata")] = "testdata"
	}
	return nil
}

// environment is what of ours the program gets: our own settings.
func environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "LVSDECK_") && !strings.HasPrefix(v, guest.InLab) {
			env = append(env, v)
		}
	}
	return env
}

// finish says what a shell would say about a program that a signal ended.
func finish(code int, err error) (int, error) {
	if err == nil && code > 128 {
		fmt.Fprintf(os.Stderr, "labrun: the program was ended by signal %d (%v); out of memory would be 9: see -m\n",
			code-128, syscall.Signal(code-128))
	}
	return code, err
}
