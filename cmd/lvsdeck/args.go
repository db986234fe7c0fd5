package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// takes is a command's arguments by their names, those that need not be there in
// brackets. What is missing, of the flags that must be there too, or is too much is
// named, with how the command is written.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > len(names) {
			return fmt.Errorf("%s: %q is one argument too many; write: %s", cmd.Name(), args[len(names)], cmd.UseLine())
		}
		var missing []string
		for _, name := range names[len(args):] {
			if !strings.HasPrefix(name, "[") {
				missing = append(missing, name)
			}
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if _, required := f.Annotations[cobra.BashCompOneRequiredFlag]; required && !f.Changed {
				missing = append(missing, "--"+f.Name)
			}
		})
		if len(missing) > 0 {
			return fmt.Errorf("%s: missing: %s; write: %s", cmd.Name(), strings.Join(missing, ", "), cmd.UseLine())
		}
		return nil
	}
}
