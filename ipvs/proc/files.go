package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// Files are the texts of one network namespace, kept open. They give errors as
// they come; whoever asked puts them into an ipvs.Error. Safe for concurrent
// use.
type Files struct {
	namespace *Namespace
	hz        uint32

	mu                   sync.Mutex // guards the files' buffers
	table, stats, perCPU file
	estimation, cpus     file
}

// OpenFiles opens the files of the calling thread's network namespace. Only the
// table itself must be there, else the error is ipvs.ErrUnavailable; the rest is
// opened when first read.
func OpenFiles() (*Files, error) {
	here, err := Here()
	if err != nil {
		return nil, err
	}
	// Through the thread, not the process: its namespace may be its own.
	const dir, sysctl = "/proc/thread-self/net/", "/proc/sys/net/ipv4/vs/"
	f := &Files{
		namespace:  here,
		table:      file{path: dir + "ip_vs"},
		stats:      file{path: dir + "ip_vs_stats"},
		perCPU:     file{path: dir + "ip_vs_stats_percpu"},
		estimation: file{path: sysctl + "run_estimation"},
		cpus:       file{path: sysctl + "est_cpulist"},
	}
	if f.hz, err = jiffiesPerSecond(); err == nil {
		_, err = f.read(&f.table)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// jiffiesPerSecond is the kernel's HZ: 100, 250, 300 or 1000. No file tells it
// (sysconf's clock tick is USER_HZ, always 100), but the coarse clocks move
// once a jiffy and say so, since Linux 2.6.32.
func jiffiesPerSecond() (uint32, error) {
	var tick unix.Timespec
	if err := unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &tick); err != nil {
		return 0, fmt.Errorf("clock_getres: %w", err)
	}
	n := tick.Nano()
	if n <= 0 {
		return 0, fmt.Errorf("clock_getres: a tick of %d ns", n)
	}
	return uint32((1e9 + n/2) / n), nil // 3333333 ns is 300
}

// Namespace is the one the files belong to.
func (f *Files) Namespace() *Namespace { return f.namespace }

// Close closes all. Reads after it fail.
func (f *Files) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range []*file{&f.table, &f.stats, &f.perCPU, &f.estimation, &f.cpus} {
		if one.handle != nil {
			one.close()
		}
	}
	return f.namespace.Close()
}

// Table reads and parses /proc/net/ip_vs.
func (f *Files) Table() (Table, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := f.read(&f.table)
	if err != nil {
		return Table{}, err
	}
	return ParseTable(text, f.hz)
}

// Totals reads the counters of the whole table: the estimator's, and the live
// ones added up over all CPUs.
func (f *Files) Totals() (ipvs.Stats, ipvs.Traffic, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := f.read(&f.stats)
	if err != nil {
		return ipvs.Stats{}, ipvs.Traffic{}, err
	}
	stats, err := ParseStats(text)
	if err != nil {
		return ipvs.Stats{}, ipvs.Traffic{}, err
	}
	if text, err = f.read(&f.perCPU); err != nil {
		return ipvs.Stats{}, ipvs.Traffic{}, err
	}
	live, err := ParsePerCPU(text)
	return stats, live, err
}

// EstimatorOff tells whether the sysctls have stopped the counters. Kernels
// that lack one of them cannot be stopped by it.
func (f *Files) EstimatorOff() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	run, err := f.read(&f.estimation)
	if err == nil && string(bytes.TrimSpace(run)) == "0" {
		return true
	}
	cpus, err := f.read(&f.cpus)
	return err == nil && len(bytes.TrimSpace(cpus)) == 0
}

func (f *Files) read(one *file) ([]byte, error) {
	text, err := one.read(f.namespace)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ipvs.ErrUnavailable
	}
	return text, err
}
