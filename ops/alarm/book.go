package alarm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"lvsdeck/persist"
)

// Book is the file of thresholds.
type Book struct {
	side persist.Side[kept]
	path string
}

// kept is a threshold as the file has it. One that makes no sense stays as it is.
type kept struct {
	Threshold
	text []byte // as it was read
	bad  error
}

// UnmarshalJSON implements json.Unmarshaler.
func (k *kept) UnmarshalJSON(text []byte) error {
	k.text = bytes.Clone(text)
	k.bad = json.Unmarshal(text, &k.Threshold)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (k kept) MarshalJSON() ([]byte, error) {
	if k.text != nil {
		return k.text, nil
	}
	return json.Marshal(k.Threshold)
}

// OpenBook is the one of a store.
func OpenBook(s *persist.Store) Book {
	const name = "thresholds.json"
	return Book{persist.NewSide[kept](s, name), filepath.Join(s.Dir(), name)}
}

// Most is how many thresholds are kept: each costs a look at its row in every
// reading.
const Most = 1000

// All reads the thresholds. Those that make no sense are passed over; what is wrong
// with the first of them is the error. Without a list nothing could be read.
func (b Book) All() ([]Threshold, error) {
	file, err := b.side.Get()
	if err != nil {
		return nil, err
	}
	all, passed := []Threshold{}, 0
	for _, key := range slices.Sorted(maps.Keys(file)) {
		why := file[key].bad
		if why == nil {
			why = file[key].Check()
		}
		switch t := file[key].Threshold; {
		case why != nil:
		case key != t.Key():
			why = fmt.Errorf("its name should be %q", t.Key())
		case len(all) >= Most:
			why = fmt.Errorf("at most %d are watched", Most)
		default:
			all = append(all, t)
			continue
		}
		if passed++; passed == 1 {
			err = fmt.Errorf("the threshold %q in %s is not watched: %w; mend it there or take it out", key, b.path, why)
		}
	}
	if passed > 1 {
		err = fmt.Errorf("%d thresholds are not watched, among them: %w", passed, err)
	}
	return all, err
}

// Put keeps a threshold, in place of the one with its key and of another one, when
// that is given.
func (b Book) Put(t Threshold, instead string) error {
	if err := t.Check(); err != nil {
		return err
	}
	full := false
	err := b.side.Update(func(all map[string]kept) {
		delete(all, instead)
		if _, there := all[t.Key()]; !there && len(all) >= Most {
			full = true
			return
		}
		all[t.Key()] = kept{Threshold: t}
	})
	if full {
		err = fmt.Errorf("%d thresholds are kept already, at most %d are watched: remove some", Most, Most)
	}
	return err
}

// Remove forgets a threshold.
func (b Book) Remove(key string) error {
	return b.side.Update(func(all map[string]kept) { delete(all, key) })
}
