package vm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// kernel is an unpacked one, its paths below the builder's root.
type kernel struct{ version, image, modules string }

// unpackKernel unpacks the newest kernel. The meta package names it; newer ones
// are in several packages of the same version, and below usr.
func (b *builder) unpackKernel(ctx context.Context) (kernel, error) {
	names, err := b.kernels.Depends(ctx, b.Kernel)
	if err != nil {
		return kernel{}, err
	}
	at := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, "linux-image-") })
	if at < 0 {
		return kernel{}, fmt.Errorf("package %s depends on no kernel, only on %v", b.Kernel, names)
	}
	version := strings.TrimPrefix(names[at], "linux-image-")
	parts, err := b.kernels.Depends(ctx, names[at])
	if err != nil {
		return kernel{}, err
	}
	parts = slices.DeleteFunc(parts, func(name string) bool { return !strings.HasSuffix(name, "-"+version) })
	if err := b.unpack(ctx, b.kernels, append(parts, names[at])...); err != nil {
		return kernel{}, err
	}
	modules := b.either("lib/modules/"+version, "usr/lib/modules/"+version)
	image := b.either("boot/vmlinuz-"+version, modules+"/vmlinuz")
	return kernel{version, image, modules}, expand(ctx, filepath.Join(b.root, modules))
}

// either is the first of two places if something is there, else the second.
func (b *builder) either(first, second string) string {
	if _, err := os.Stat(filepath.Join(b.root, first)); err == nil {
		return first
	}
	return second
}

// expand undoes the compression of the modules below a directory.
func expand(ctx context.Context, dir string) error {
	var files []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".ko.xz") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		return err
	}
	_, err = output(exec.CommandContext(ctx, "xz", append([]string{"--decompress"}, files...)...))
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("this kernel's modules are compressed; install the package xz-utils")
	}
	return err
}
