package keep

import (
	"fmt"
	"io"
	"text/tabwriter"

	"lvsdeck/persist"
)

// Snapshot is the rules as they were before a plan.
type Snapshot struct {
	persist.Snapshot
	Title string // of the plan; "" when the journal has forgotten it
}

// Snapshots lists them, newest first.
func Snapshots(store *persist.Store) ([]Snapshot, error) {
	kept, err := store.Snapshots()
	if err != nil {
		return nil, err
	}
	plans, err := store.Plans()
	if err != nil {
		return nil, err
	}
	titles := map[string]string{}
	for _, p := range plans {
		titles[p.ID] = p.Title
	}
	all := make([]Snapshot, len(kept))
	for i, s := range kept {
		all[i] = Snapshot{s, titles[s.Plan]}
	}
	return all, nil
}

// Open reads the snapshot.
func (s Snapshot) Open() (Saved, error) {
	saved, err := Open(s.Path)
	saved.Name = "snapshot " + s.Plan
	return saved, err
}

// OpenSnapshot finds a snapshot by the plan before which it was kept.
func OpenSnapshot(store *persist.Store, id string) (Saved, error) {
	all, err := store.Snapshots()
	if err != nil {
		return Saved{}, err
	}
	for _, s := range all {
		if s.Plan == id {
			return Snapshot{Snapshot: s}.Open()
		}
	}
	return Saved{}, fmt.Errorf("there is no snapshot %q; lvsdeck snapshots lists them", id)
}

// ListSnapshots writes them as a table.
func ListSnapshots(store *persist.Store, w io.Writer) error {
	all, err := Snapshots(store)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "no snapshot yet: one is kept before every change")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TIME\tID\tBEFORE\tFILE")
	for _, s := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", s.Time.Format("2006-01-02 15:04:05"), s.Plan, s.Title, s.Path)
	}
	return table.Flush()
}
