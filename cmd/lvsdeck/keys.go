package main

import (
	"os"

	"github.com/spf13/cobra"

	"lvsdeck/ui"
)

// newKeys writes docs/keys.md from the console's own table of commands.
func newKeys() *cobra.Command {
	return &cobra.Command{
		Use:   "keys",
		Short: "print every key of the console, as Markdown",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			_, err := os.Stdout.WriteString(ui.KeysMarkdown())
			return err
		},
	}
}
