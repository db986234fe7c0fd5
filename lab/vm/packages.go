package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// packages fetches Debian packages with the machine's own apt, as any user,
// into a directory. A file's name holds package and version, so a version is
// fetched once.
type packages struct {
	dir     string
	options []string // apt's, after its own configuration
}

// Fetch returns the file of each package in the version apt would install.
func (p packages) Fetch(ctx context.Context, names ...string) (map[string]string, error) {
	tmp, err := os.MkdirTemp(p.dir, "fetch-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	// In an empty directory apt names every file; elsewhere it is silent about
	// those that are there already.
	uris, err := p.download(ctx, tmp, append([]string{"--print-uris"}, names...)...)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	var missing []string
	for line := range strings.Lines(uris) {
		fields := strings.Fields(line) // 'uri' file size hash
		if len(fields) < 2 {
			continue
		}
		name, _, _ := strings.Cut(fields[1], "_")
		files[name] = filepath.Join(p.dir, fields[1])
		if _, err := os.Stat(files[name]); err != nil {
			missing = append(missing, name)
		}
	}
	for _, name := range names {
		if files[name] == "" {
			return nil, fmt.Errorf("apt does not say where package %s is; run apt-get update and try again", name)
		}
	}
	if len(missing) > 0 {
		if _, err := p.download(ctx, tmp, missing...); err != nil {
			return nil, err
		}
	}
	for _, name := range missing {
		if err := os.Rename(filepath.Join(tmp, filepath.Base(files[name])), files[name]); err != nil {
			return nil, fmt.Errorf("apt did not fetch package %s: %w", name, err)
		}
	}
	return files, nil
}

func (p packages) download(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := p.apt(ctx, dir, append([]string{"download"}, args...)...)
	if err != nil {
		return "", fmt.Errorf("%w\nrun apt-get update and see whether the package can be reached", err)
	}
	return out, nil
}

func (p packages) apt(ctx context.Context, dir string, args ...string) (string, error) {
	// As root apt would fetch as user _apt, who may not write here.
	options := append([]string{"-q", "-o", "APT::Sandbox::User=root"}, p.options...)
	cmd := exec.CommandContext(ctx, "apt-get", append(options, args...)...)
	cmd.Dir = dir
	out, err := output(cmd)
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("the lab's kernel and tools are Debian packages: it needs apt-get, which is not here")
	}
	return out, err
}

// Depends lists what packages depend on, the first choice of each alternative.
func (p packages) Depends(ctx context.Context, names ...string) ([]string, error) {
	files, err := p.Fetch(ctx, names...)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, name := range names {
		text, err := output(exec.CommandContext(ctx, "dpkg-deb", "-f", files[name], "Pre-Depends", "Depends"))
		if err != nil {
			return nil, err
		}
		all = append(all, parseDepends(text)...)
	}
	return all, nil
}

var dependency = regexp.MustCompile(`(?m)(?:^[\w-]+:|,)\s*([a-z0-9][a-z0-9.+-]+)`)

func parseDepends(text string) []string {
	var names []string
	for _, m := range dependency.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

func unpack(ctx context.Context, file, dir string) error {
	_, err := output(exec.CommandContext(ctx, "dpkg-deb", "-x", file, dir))
	return err
}

// output runs a command and returns what it prints; an error says what it
// complained of.
func output(cmd *exec.Cmd) (string, error) {
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(complaint.Bytes()))
	}
	return string(out), nil
}
