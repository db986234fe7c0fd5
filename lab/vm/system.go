package vm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// System is a kernel and its base archive, both open: a rebuild by somebody
// else cannot take them away.
type System struct{ Kernel, Base *os.File }

// The files of a system in the cache.
const (
	kernelFile = "vmlinuz"
	baseFile   = "base.cpio"
)

// Close lets go of the files.
func (s System) Close() error { return errors.Join(s.Kernel.Close(), s.Base.Close()) }

// Prepare returns the lab's system from the cache, making it from packages at
// first, or when update asks for the newest ones. A system once made is kept, so
// that results do not change with the day's packages. The kernel is of the named
// suite of Debian; without a name it is the one that apt would install.
func Prepare(ctx context.Context, suite string, update bool) (System, error) {
	user, err := os.UserCacheDir()
	if err != nil {
		return System{}, fmt.Errorf("nowhere to keep the lab's packages: %w; set XDG_CACHE_HOME", err)
	}
	cache := filepath.Join(user, "lvsdeck", "lab")
	store := packages{dir: filepath.Join(cache, "packages")}
	if err := os.MkdirAll(store.dir, 0o755); err != nil {
		return System{}, err
	}
	unlock, err := lock(filepath.Join(cache, "lock"))
	if err != nil {
		return System{}, err
	}
	defer unlock()
	recipe := debian(suite)
	dir := filepath.Join(cache, fmt.Sprintf("system-%.6x", sha256.Sum256(fmt.Append(nil, recipe))))
	if s, err := open(dir); err == nil && !update {
		return s, nil
	}
	if err := rebuild(ctx, recipe, store, dir); err != nil {
		return System{}, fmt.Errorf("cannot make the lab's system: %w", err)
	}
	return open(dir)
}

// rebuild builds beside dir and swaps it in whole.
func rebuild(ctx context.Context, r recipe, store packages, dir string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	built := filepath.Join(tmp, "system")
	if err := os.Mkdir(built, 0o755); err != nil {
		return err
	}
	kernels, err := store.Of(ctx, r.Suite, filepath.Join(tmp, "apt"))
	if err != nil {
		return err
	}
	b := builder{recipe: r, packages: store, kernels: kernels, root: filepath.Join(tmp, "root")}
	if err := b.build(ctx, built); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(built, dir)
}

func open(dir string) (System, error) {
	kernel, err := os.Open(filepath.Join(dir, kernelFile))
	if err != nil {
		return System{}, err
	}
	base, err := os.Open(filepath.Join(dir, baseFile))
	if err != nil {
		kernel.Close()
		return System{}, err
	}
	return System{kernel, base}, nil
}

// lock keeps two labs from building the same system at once.
func lock(path string) (unlock func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
