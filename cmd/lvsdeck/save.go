package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"lvsdeck/ops/keep"
	"lvsdeck/persist"
)

func newSave() *cobra.Command {
	return &cobra.Command{
		Use:   "save [FILE]",
		Short: "write the running rules to a file, or - for standard output",
		Long: "save writes the running rules as ipvsadm -R takes them, with the thresholds,\n" +
			"timeouts and sync daemons that ipvsadm -S leaves out. The file is replaced\n" +
			"whole or not at all, mode 0600. Without FILE: " + persist.RulesFile(),
		Args: takes("[FILE]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			table, err := openDirector(cmd.Context(), asItIs)
			if err != nil {
				return err
			}
			defer table.Close()
			file := fileArgument(args)
			if file == standard {
				running, err := keep.Running(cmd.Context(), table)
				if err := warned(running, err); err != nil {
					return err
				}
				return running.Write(os.Stdout)
			}
			saved, err := keep.Save(cmd.Context(), table, file)
			if err := warned(saved, err); err != nil {
				return err
			}
			_, err = fmt.Printf("saved %s to %s\n", keep.Size(saved.Rules), file)
			return err
		},
	}
}

// warned tells what is odd about what was saved.
func warned(saved keep.Written, err error) error {
	if why := saved.Warning(); err == nil && why != "" {
		fmt.Fprintln(os.Stderr, "warning: "+why)
	}
	return err
}

// standard is the name of standard input and output.
const standard = "-"

// fileArgument is the file named, or where the host keeps its rules.
func fileArgument(args []string) string {
	if len(args) == 0 {
		return persist.RulesFile()
	}
	return args[0]
}

// openSaved reads and checks the rules of the file named, or those piped in.
func openSaved(args []string) (keep.Saved, error) {
	if file := fileArgument(args); file != standard {
		return keep.Open(file)
	}
	return keep.Read(os.Stdin, "standard input")
}
