package main

import (
	"os"

	"github.com/spf13/cobra"

	"lvsdeck/ops/keep"
)

func newDiff() *cobra.Command {
	return &cobra.Command{
		Use:   "diff [FILE]",
		Short: "show what a restore would change: exit status 0 nothing, 1 something",
		Args:  takes("[FILE]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			saved, err := openSaved(args)
			if err != nil {
				return err
			}
			table, err := openDirector(cmd.Context(), asItIs)
			if err != nil {
				return err
			}
			defer table.Close()
			differs, err := keep.Diff(cmd.Context(), table, saved, os.Stdout)
			if err == nil && differs {
				err = exitCode(1)
			}
			return err
		},
	}
}
