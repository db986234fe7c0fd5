package vm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/lab/guest"
)

// bootTime is how long the guest may take to its first word: twenty times what
// it takes on a quiet machine.
const bootTime = 80 * time.Second

// lastWords is how long a machine whose job has ended may take to switch off.
const lastWords = 10 * time.Second

// Machine is one run of one job.
type Machine struct {
	System  System
	Init    string            // the host's file of the guest's first program
	Files   map[string]string // more files or directories: guest's path to host's
	Job     guest.Job
	Memory  int           // in MiB
	KVM     bool          // use the processor's own virtualisation
	Timeout time.Duration // of the whole run; 0: none

	Stdin   io.Reader         // what a person types, with Job.Terminal
	Stdout  io.Writer         // the job's output, as it is
	Console io.Writer         // the kernel's messages, all of them; nil: only after a failure
	Resize  <-chan guest.Size // the terminal's sizes after the first
	Out     string            // directory for files the job leaves; "" drops them
}

// errSilent is a boot without a single byte, which a loaded machine's timers
// can cause. It says nothing about the job, so it is worth one more try.
var errSilent = errors.New("the lab's machine did not say a word")

// Run boots, runs the job and returns its exit status. An error means that the
// job's end is not known.
func (m Machine) Run(ctx context.Context) (exit int, err error) {
	image, err := m.image()
	if err != nil {
		return 0, err
	}
	defer image.Close()
	if m.Timeout > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, m.Timeout,
			fmt.Errorf("the lab's machine did not end within %v", m.Timeout))
		defer cancel()
	}
	exit, err = m.boot(ctx, image)
	if errors.Is(err, errSilent) {
		exit, err = m.boot(ctx, image)
	}
	return exit, err
}

// image is the machine's first root file system: the base archive and this
// run's own, in memory only, so that no accident leaves it behind.
func (m Machine) image() (*os.File, error) {
	fd, err := unix.MemfdCreate("lab", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memory for the lab's archive: %w", err)
	}
	f := os.NewFile(uintptr(fd), "lab archive")
	if _, err = io.Copy(f, io.NewSectionReader(m.System.Base, 0, 1<<40)); err == nil {
		err = m.writeRun(f)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (m Machine) writeRun(f io.Writer) error {
	job, err := json.Marshal(m.Job)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	a := newArchive(w)
	a.File(guest.JobFile, 0o644, job)
	if err := addTree(a, "/init", m.Init); err != nil {
		return err
	}
	for _, to := range slices.Sorted(maps.Keys(m.Files)) {
		if err := addTree(a, to, m.Files[to]); err != nil {
			return err
		}
	}
	return errors.Join(a.Close(), w.Flush())
}

// addTree copies a file or a directory; links are followed once, devices left out.
func addTree(a *archive, to, from string) error {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		name := filepath.Join(to, below)
		switch {
		case d.IsDir():
			a.Dir(name)
		case d.Type().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			a.File(name, uint32(info.Mode().Perm()), data)
		}
		return nil
	})
}

// boot is one life of the machine.
func (m Machine) boot(ctx context.Context, image *os.File) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q, err := m.start(ctx, image)
	if err != nil {
		return 0, err
	}
	defer q.closeLines()

	console := &tail{}
	var messages io.Writer = console
	if m.Console != nil {
		messages = io.MultiWriter(console, m.Console)
	}
	watchdog := time.AfterFunc(bootTime, func() {
		if console.Empty() {
			cancel(errSilent)
			return
		}
		cancel(fmt.Errorf("the lab's machine did not start the guest's program within %v", bootTime))
	})
	defer watchdog.Stop()

	end := outcome{dir: m.Out}
	var copies sync.WaitGroup
	copies.Go(func() { io.Copy(messages, q.console) })
	copies.Go(func() { io.Copy(m.Stdout, q.terminal) })
	copies.Go(func() {
		end.read(q.notes, func() {
			watchdog.Stop()
			go m.passSizes(ctx, q.notes)
		})
		// Its job is done; one that then hangs must not hang the caller.
		if end.known() {
			time.AfterFunc(lastWords, func() { cancel(nil) })
		}
	})
	if m.Stdin != nil {
		go io.Copy(q.terminal, m.Stdin) // ends with the process: a read cannot be called back
	}

	qemuErr := q.wait()
	copies.Wait()
	if end.known() {
		return end.exit, end.err
	}
	return 0, m.unknownEnd(ctx, qemuErr, console, q)
}

// passSizes tells the guest the terminal's sizes. It must not begin before the
// guest has opened the line, which throws away what came earlier.
func (m Machine) passSizes(ctx context.Context, notes io.Writer) {
	for {
		select {
		case s := <-m.Resize:
			json.NewEncoder(notes).Encode(guest.Note{Size: &s})
		case <-ctx.Done():
			return
		}
	}
}

// unknownEnd explains a machine that stopped without saying how the job ended.
func (m Machine) unknownEnd(ctx context.Context, qemuErr error, console *tail, q *qemu) error {
	reason := context.Cause(ctx)
	if reason == nil {
		reason = errors.New("the lab's machine stopped without saying how the job ended")
		if qemuErr != nil {
			reason = fmt.Errorf("%w (qemu: %w)", reason, qemuErr)
		}
	}
	if text := q.stderr.String(); text != "" {
		reason = fmt.Errorf("%w\nqemu says:\n%s", reason, text)
	}
	if text := console.String(); text != "" {
		reason = fmt.Errorf("%w\nthe last of its console:\n%s", reason, text)
	}
	return reason
}
