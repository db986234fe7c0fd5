package boot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/setup"
)

// kept is what kept.json says.
type kept struct {
	Setups []entry `json:"setups"`

	// Made are the files and directories that were not there before, and go with
	// the last set-up.
	Made []string `json:"made,omitempty"`
}

// entry is a set-up that is kept.
type entry struct {
	Service ipvs.ServiceID  `json:"service"`
	Steps   json.RawMessage `json:"steps"` // of the host; the table is in the rules file

	// InRules: the rules file had the service before.
	InRules bool `json:"in_rules,omitempty"`
}

// newEntry takes from a record what the host needs, also what was so before the
// set-up: whoever made it so may not have made it last.
func newEntry(r setup.Record) (entry, error) {
	var items []plan.Item
	for _, i := range r.Steps {
		switch i.Step.(type) {
		case plan.ChangeService, plan.ChangeServer:
		default:
			if i.Host == "" {
				items = append(items, i)
			}
		}
	}
	steps, err := plan.Written(items)
	return entry{Service: r.Wish.Service, Steps: steps}, err
}

// items gives the steps. One that cannot be read does not keep the others.
func (e entry) items() (items []plan.Item, failed error) {
	var all []json.RawMessage
	failed = json.Unmarshal(e.Steps, &all)
	for _, text := range all {
		var i plan.Item
		if err := json.Unmarshal(text, &i); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		items = append(items, i)
	}
	if failed != nil {
		failed = fmt.Errorf("cannot read all that is kept of %s: %w", e.Service, failed)
	}
	return items, failed
}

// read gives what is kept; without the file that is nothing.
func (p Place) read() (k kept, err error) {
	text, err := os.ReadFile(p.kept())
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, fmt.Errorf("cannot read what is kept: %w", err)
	}
	if err := json.Unmarshal(text, &k); err != nil {
		return k, fmt.Errorf("cannot read %s: %w; mend it or move it away, then: lvsdeck keep", p.kept(), err)
	}
	return k, nil
}

// text is the file, or nil when nothing is kept any more.
func (k kept) text() (*string, error) {
	if len(k.Setups) == 0 {
		return nil, nil
	}
	text, err := json.MarshalIndent(k, "", "  ")
	whole := string(text) + "\n"
	return &whole, err
}

func (k *kept) find(id ipvs.ServiceID) int {
	return slices.IndexFunc(k.Setups, func(e entry) bool { return e.Service == id })
}

// put sets or adds a set-up. What the rules file had before was so before the first
// time.
func (k *kept) put(e entry) {
	if i := k.find(e.Service); i >= 0 {
		e.InRules = k.Setups[i].InRules
		k.Setups[i] = e
		return
	}
	k.Setups = append(k.Setups, e)
}

func (k *kept) services() (ids []ipvs.ServiceID) {
	for _, e := range k.Setups {
		ids = append(ids, e.Service)
	}
	return ids
}
