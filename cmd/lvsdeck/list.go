package main

import (
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"lvsdeck/ops"
	"lvsdeck/ui/plain"
)

func newList() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "print the table once, as text or JSON",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := plain.CheckFormat(format); err != nil {
				return err
			}
			reader, err := openTable(cmd.Context())
			if err != nil {
				return err
			}
			defer reader.Close()
			// The interval bounds the reading: a big table gets the time it needs.
			sampler := ops.NewSampler(reader, ops.Options{Interval: ops.MaxInterval})
			sampler.FocusAll()
			s := sampler.Observe(cmd.Context(), time.Now())
			if err := errors.Join(s.Err, s.Missed); err != nil {
				return err
			}
			return plain.Write(os.Stdout, s, format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table or json")
	return cmd
}
