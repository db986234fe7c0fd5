package ui

import (
	"fmt"
	"strings"

	"lvsdeck/ui/paint"
)

// KeysMarkdown is docs/keys.md: the same table the keys themselves come from.
func KeysMarkdown() string {
	var b strings.Builder
	b.WriteString("# Keys\n\nMade by `lvsdeck keys` from the console's own table of commands. `?` shows the same in the console, on every screen on which nothing is typed and below that screen's own keys; `:` finds a command by its name.\n")
	for _, g := range groups(commandTable()) {
		fmt.Fprintf(&b, "\n## %s\n\n| key | does |\n|---|---|\n", g.name)
		for _, c := range g.commands {
			names := make([]string, len(c.keys))
			for i, k := range c.keys {
				names[i] = "`" + keyName(k, paint.ASCII) + "`"
			}
			if len(names) == 0 {
				names = []string{"`:` finds it"}
			}
			fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(names, " "), c.name)
		}
	}
	b.WriteString("\nWhile a filter is typed: `up` and `down` move among the rows found, `Enter` keeps the filter, `esc` goes back to the one before.\n")
	b.WriteString("\nOn the screen of rules: `s` saves, `l` loads the file, `t` lists the snapshots. Nothing happens before it is shown and confirmed.\n")
	b.WriteString("\nOn the screen of connections: `1` to `6` or `tab` group them, Enter narrows to the group under the cursor and `esc` widens again, `a` shows those of all services, `l` lists them one by one, `/` asks which ones and how long networks are, `x` offers what ends them or keeps a client out, `r` reads again. In the list Enter on a template lists what it holds. Nothing is read without being asked for, but what costs less than a second.\n")
	b.WriteString("\nOn the screen of checks: Enter or `f` shows what ends the finding under the cursor, to be done or not, `tab` shows it whole, `y` asks why, `r` looks again now, `/` filters, `p` probes the service's servers and `P` all servers. A probe is the only check that sends packets; it says which before.\n")
	b.WriteString("\nOn the screen that asks why: Enter or `f` shows what ends the finding under the cursor, or drains servers that fail, `tab` shows the line whole, `r` asks again, `p` asks the servers by packets, too, and says before what it sends, `esc` stops the questions. Below the answers stand commands that capture the service's packets.\n")
	b.WriteString("\nOn the screen of thresholds: `a` adds one for the row under the cursor of the list, `A` for the whole director, Enter changes it, `x` removes it, `b` has crossings ring or not, `tab` goes to the incident log. There `n` notes something on the row, `N` on the director, `f` shows only the row's entries, `/` filters, `w` writes the report of an incident.\n")
	return b.String()
}
