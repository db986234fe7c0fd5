package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// debianKeys is where every Debian has the keys of all its suites.
const debianKeys = "/usr/share/keyrings/debian-archive-keyring.gpg"

// Of are the packages of another suite than the machine's own, from the same
// mirror. apt gets lists of its own in dir, so the machine's are as they were.
func (p packages) Of(ctx context.Context, suite, dir string) (packages, error) {
	if suite == "" {
		return p, nil
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return p, err
	}
	mirrors, err := p.apt(ctx, dir, "indextargets", "--format", "$(REPO_URI)",
		"Created-By: Packages", "Origin: Debian", "Label: Debian")
	if err != nil {
		return p, err
	}
	mirror, _, _ := strings.Cut(mirrors, "\n")
	if mirror == "" {
		return p, fmt.Errorf("apt knows no mirror of Debian to ask for suite %s; run apt-get update and try again", suite)
	}
	sources := filepath.Join(dir, "sources.list")
	line := fmt.Sprintf("deb [signed-by=%s] %s %s main\n", debianKeys, mirror, suite)
	if err := os.WriteFile(sources, []byte(line), 0o644); err != nil {
		return p, err
	}
	for _, option := range []string{
		"Dir::State=" + dir, "Dir::Cache=" + dir, "Dir::State::status=/dev/null",
		"Dir::Etc::sourcelist=" + sources, "Dir::Etc::sourceparts=/dev/null",
	} {
		p.options = append(p.options, "-o", option)
	}
	_, err = p.apt(ctx, dir, "update", "--error-on=any")
	return p, err
}
