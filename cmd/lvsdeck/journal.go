package main

import (
	"os"

	"github.com/spf13/cobra"

	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/ui/plain"
)

func newJournal() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "list every change: when, by whom, and what it stands at",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			if err := plain.CheckFormat(format); err != nil {
				return err
			}
			store, err := openStore(persist.DefaultDir)
			if err != nil {
				return err
			}
			h, err := plan.ReadHistory(store)
			if err != nil {
				return err
			}
			return plain.Journal(os.Stdout, h, format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table or json")
	return cmd
}
