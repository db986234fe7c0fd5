package alarm

import (
	"fmt"

	"lvsdeck/persist"
)

// Book is the file of thresholds.
type Book struct{ side persist.Side[Threshold] }

// OpenBook is the one of a store.
func OpenBook(s *persist.Store) Book {
	return Book{persist.NewSide[Threshold](s, "thresholds.json")}
}

// Most is how many thresholds are kept: each costs a look at its row in every
// reading.
const Most = 1000

// All reads the thresholds. Those that make no sense are an error, which names the
// first.
func (b Book) All() ([]Threshold, error) {
	kept, err := b.side.Get()
	if err != nil {
		return nil, err
	}
	if len(kept) > Most {
		return nil, fmt.Errorf("%d thresholds are kept, at most %d are watched: remove some", len(kept), Most)
	}
	var all []Threshold
	for key, t := range kept {
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("the threshold %q that is kept: %w", key, err)
		}
		if key != t.Key() {
			return nil, fmt.Errorf("the threshold %q that is kept should have the name %q", key, t.Key())
		}
		all = append(all, t)
	}
	return all, nil
}

// Put keeps a threshold, in place of the one with its key and of another one, when
// that is given.
func (b Book) Put(t Threshold, instead string) error {
	if err := t.Check(); err != nil {
		return err
	}
	full := false
	err := b.side.Update(func(all map[string]Threshold) {
		delete(all, instead)
		if _, there := all[t.Key()]; !there && len(all) >= Most {
			full = true
			return
		}
		all[t.Key()] = t
	})
	if full {
		err = fmt.Errorf("%d thresholds are kept already, at most %d are watched: remove some", Most, Most)
	}
	return err
}

// Remove forgets a threshold.
func (b Book) Remove(key string) error {
	return b.side.Update(func(all map[string]Threshold) { delete(all, key) })
}
