package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"lvsdeck/lab/guest"
)

// builder makes kernel and base archive from packages unpacked below root.
type builder struct {
	recipe
	packages packages // of the tools
	kernels  packages
	root     string
	out      *archive
}

// build writes the two files of a System to dir.
func (b *builder) build(ctx context.Context, dir string) (err error) {
	kernel, err := b.unpackKernel(ctx)
	if err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(b.root, kernel.image), filepath.Join(dir, kernelFile)); err != nil {
		return err
	}
	tools := slices.Sorted(maps.Keys(b.Tools))
	if err := b.unpack(ctx, b.packages, tools...); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, baseFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	b.out = newArchive(w)
	b.skeleton()
	if err := b.tools(ctx, tools); err != nil {
		return err
	}
	if err := b.modules(kernel); err != nil {
		return err
	}
	return errors.Join(b.out.Close(), w.Flush())
}

func (b *builder) unpack(ctx context.Context, from packages, names ...string) error {
	files, err := from.Fetch(ctx, names...)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := unpack(ctx, files[name], b.root); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) skeleton() {
	for _, dir := range []string{"proc", "sys", "dev", "run", "tmp", "root", "var/lib", "var/log", "etc/modprobe.d", guest.WorkDir} {
		b.out.Dir(dir)
	}
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		b.out.Dir("usr/" + dir)
	}
	for _, link := range slices.Sorted(maps.Keys(b.Links)) {
		b.out.Link(link, b.Links[link])
	}
	for _, name := range slices.Sorted(maps.Keys(b.Files)) {
		b.out.File(name, 0o644, []byte(b.Files[name]))
	}
}

// tools puts in the wanted files, the libraries they need, and busybox under
// the names that nothing better has.
func (b *builder) tools(ctx context.Context, names []string) error {
	var files []string
	for _, name := range names {
		for _, pattern := range b.Tools[name] {
			found, err := filepath.Glob(filepath.Join(b.root, pattern))
			if err != nil || len(found) == 0 {
				return fmt.Errorf("package %s has no file %s (%v)", name, pattern, err)
			}
			for _, f := range found {
				if info, err := os.Stat(f); err != nil || !info.IsDir() {
					files = append(files, strings.TrimPrefix(f, b.root+"/"))
				}
			}
		}
	}
	libs, err := b.libraries(ctx, names, files)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, f := range files {
		taken[filepath.Base(f)] = true
		if err := b.copy(f, merged(f)); err != nil {
			return err
		}
	}
	for link := range b.Links {
		taken[filepath.Base(link)] = true
	}
	for _, name := range libs.Names() {
		to := filepath.Join("usr/lib/x86_64-linux-gnu", name)
		if strings.HasPrefix(name, "ld-linux") {
			to = filepath.Join("usr/lib64", name)
		}
		if err := b.copyContent(libs.found[name], to); err != nil {
			return err
		}
	}
	applets, err := output(exec.CommandContext(ctx, filepath.Join(b.root, "bin/busybox"), "--list-full"))
	if err != nil {
		return err
	}
	for applet := range strings.Lines(applets) {
		if applet = strings.TrimSpace(applet); !taken[filepath.Base(applet)] {
			b.out.Link(merged(applet), "/usr/bin/busybox")
		}
	}
	return nil
}

// libraries finds what the files need. Packages of libraries are fetched as
// they turn out to be missing, one step of dependencies after the other.
func (b *builder) libraries(ctx context.Context, names, files []string) (*libraries, error) {
	seen := map[string]bool{}
	for {
		libs := &libraries{root: b.root, found: map[string]string{}}
		var missing error
		for _, f := range files {
			if missing = libs.Add(f); missing != nil {
				break
			}
		}
		if missing == nil || !errors.Is(missing, errNoLibrary) {
			return libs, missing
		}
		deps, err := b.packages.Depends(ctx, names...)
		if err != nil {
			return nil, err
		}
		var next []string
		for _, d := range deps {
			if strings.Contains(d, "lib") && !seen[d] {
				seen[d] = true
				next = append(next, d)
			}
		}
		if len(next) == 0 {
			return nil, missing
		}
		if err := b.unpack(ctx, b.packages, next...); err != nil {
			return nil, err
		}
		names = next
	}
}

// modules puts in the kernel's modules with the index files for modprobe.
func (b *builder) modules(k kernel) error {
	all, err := readModules(filepath.Join(b.root, k.modules))
	if err != nil {
		return err
	}
	wanted := append(all.Below(b.Modules.Dirs...), b.Modules.Names...)
	chosen, err := all.Closure(append(wanted, b.Modules.Boot...)...)
	if err != nil {
		return err
	}
	to := filepath.Join("usr/lib/modules", k.version)
	files := []string{"modules.builtin", "modules.order"}
	for _, m := range chosen {
		files = append(files, m.path)
	}
	for _, name := range files {
		if err := b.copyContent(filepath.Join(k.modules, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	deps, err := all.depText(chosen)
	if err != nil {
		return err
	}
	b.out.File(filepath.Join(to, "modules.dep"), 0o644, []byte(deps))
	b.out.File(filepath.Join(to, "modules.alias"), 0o644, []byte(aliasText(chosen)))
	boot, err := all.Closure(b.Modules.Boot...)
	if err != nil {
		return err
	}
	var list strings.Builder
	for _, m := range boot {
		list.WriteString(filepath.Join("/lib/modules", k.version, m.path) + "\n")
	}
	b.out.File(guest.BootModules, 0o644, []byte(list.String()))
	return nil
}

// copy puts a file of the packages into the archive, a link as a link.
func (b *builder) copy(from, to string) error {
	info, err := os.Lstat(filepath.Join(b.root, from))
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return b.copyContent(from, to)
	}
	target, err := os.Readlink(filepath.Join(b.root, from))
	if err != nil {
		return err
	}
	b.out.Link(to, target)
	return nil
}

func (b *builder) copyContent(from, to string) error {
	path := filepath.Join(b.root, from)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b.out.File(to, uint32(info.Mode().Perm()), data)
	return nil
}

// merged is where a file goes in a root whose bin, sbin and lib are links into
// usr; the kernel would otherwise have made a directory of the link's name.
func merged(path string) string {
	if top, _, _ := strings.Cut(path, "/"); top == "bin" || top == "sbin" || top == "lib" || top == "lib64" {
		return "usr/" + path
	}
	return path
}
