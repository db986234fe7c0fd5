// Command lvsdeck is the console for Linux Virtual Server directors. This
// package reads flags and wires the parts together, a file for each subcommand;
// what the program does is in ui, ops and ipvs.
//
// Exit codes: 0 done, 1 a finding or difference, 2 could not; 128 and the
// signal's number when a signal ended the console.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"lvsdeck/ui"
	"lvsdeck/ui/text"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = ""

func main() {
	if calledIpvsadm(os.Args[0]) {
		os.Exit(status(ipvsadmAs(context.Background(), os.Args)))
	}
	root := newRoot()
	root.SetArgs(os.Args[1:])
	os.Exit(status(root.ExecuteContext(context.Background())))
}

// status says what went wrong and gives the exit code for it.
func status(err error) int {
	var signal *ui.ErrSignal
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &signal):
		return 128 + int(signal.Signal)
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(os.Stderr, "lvsdeck: "+text.Clean(strings.TrimRight(line, "\n")))
	}
	return 2
}

func newRoot() *cobra.Command {
	var o consoleOptions
	root := &cobra.Command{
		Use:   "lvsdeck",
		Short: "see and run a Linux Virtual Server director",
		Long: "lvsdeck shows the virtual services and real servers of this director live.\n" +
			"Run it on the director: as root it reads everything, as another user what\n" +
			"/proc shows. Without a director, --demo shows made-up traffic.",
		Version:       programVersion(),
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return runConsole(cmd.Context(), o) },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetVersionTemplate("lvsdeck {{.Version}}\n")
	o.flags(root.Flags())
	root.AddCommand(newList(), newConns(), newCheck(), newWhy(), newIpvsadm(), newSave(), newRestore(), newDiff(), newSnapshots(), newSetup(), newUnset(), newKeep(), newBoot(), newRealserver(), newJournal(), newIncidents(), newRecord(), newReport(), newUndo(), newFinish(), newConfirm(), newRevert(), newKeys())
	return root
}

// programVersion is the release, or the commit the binary was built from.
func programVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := strings.TrimPrefix(info.Main.Version, "v")
	if v == "" || v == "(devel)" {
		return "development build"
	}
	return v
}
