package main

import (
	"os"

	"github.com/spf13/cobra"

	"lvsdeck/ops/keep"
	"lvsdeck/persist"
)

func newSnapshots() *cobra.Command {
	return &cobra.Command{
		Use:   "snapshots",
		Short: "list the rules as they were before each change",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			store, err := openStore(persist.DefaultDir)
			if err != nil {
				return err
			}
			return keep.ListSnapshots(store, os.Stdout)
		},
	}
}
