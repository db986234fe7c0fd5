package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/ops/ipvsadm"
)

// exitCode ends the program without a word of ours: all was said.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// newIpvsadm is ipvsadm with our binary. Its arguments are its own.
func newIpvsadm() *cobra.Command {
	return &cobra.Command{
		Use:                "ipvsadm [ARGUMENT ...]",
		Short:              "do what ipvsadm does, with its options, words and exit codes",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return ipvsadmAs(cmd.Context(), append([]string{"ipvsadm"}, args...))
		},
	}
}

// calledIpvsadm tells whether the binary was started by one of ipvsadm's names.
func calledIpvsadm(name string) bool {
	return strings.HasPrefix(filepath.Base(name), "ipvsadm")
}

func ipvsadmAs(ctx context.Context, args []string) error {
	code := ipvsadm.Main(ctx, args, ipvsadm.World{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Open: func(ctx context.Context) (ipvs.Table, error) {
			return kernel.Open(ctx, kernel.Options{LoadModule: true})
		},
		Connections: func() (io.ReadCloser, error) { return os.Open("/proc/net/ip_vs_conn") },
		Names:       ipvsadm.SystemNames(ctx),
	})
	if code == 0 {
		return nil
	}
	return exitCode(code)
}
