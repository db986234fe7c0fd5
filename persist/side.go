package persist

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// Side is a file of what we know and the kernel does not, by keys.
type Side[T any] struct {
	store *Store
	name  string
}

// NewSide is a file of the store, for what a package keeps in a form of its own.
func NewSide[T any](s *Store, name string) Side[T] { return Side[T]{s, name} }

// Label is what operators call a service or server.
type Label struct {
	Name string `json:"name,omitempty"`
	Note string `json:"note,omitempty"`
}

// Labels are names and notes.
func (s *Store) Labels() Side[Label] { return Side[Label]{s, "labels.json"} }

// Weight is what a server is meant to weigh that is drained, or on its way back.
type Weight struct {
	Meant uint32 `json:"meant"`
	Now   uint32 `json:"now,omitempty"` // where it was left on its way; 0: drained
}

// Weights are those that servers are meant to have and do not have.
func (s *Store) Weights() Side[Weight] { return Side[Weight]{s, "weights.json"} }

// ServiceKey is a service's key in a Side.
func ServiceKey(id ipvs.ServiceID) string { return id.String() }

// ServerKey is a server's key in a Side.
func ServerKey(id ipvs.ServiceID, server netip.AddrPort) string {
	return ipvs.ServerTarget(id, ipvs.Server{Addr: server})
}

// Get reads the file; without one there is nothing in it.
func (f Side[T]) Get() (map[string]T, error) {
	path := f.store.path(f.name)
	all := map[string]T{}
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return all, nil
	}
	if err != nil {
		return nil, explain("read", path, err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w; mend it or move it away", path, err)
	}
	if all == nil { // the file says null
		all = map[string]T{}
	}
	return all, nil
}

// Update changes the file, after changes of other processes and before theirs.
// When nothing changes, nothing is written.
func (f Side[T]) Update(change func(map[string]T)) error {
	s := f.store
	lock, err := s.lockFile(f.name+".lock", unix.F_OFD_SETLKW)
	if err != nil {
		return err
	}
	defer release(lock)
	all, err := f.Get()
	if err != nil {
		return err
	}
	before, err := json.Marshal(all)
	if err != nil {
		return err
	}
	change(all)
	after, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	var plain bytes.Buffer
	if err := json.Compact(&plain, after); err != nil || bytes.Equal(plain.Bytes(), before) {
		return err
	}
	if err := s.disk.sweep(s.dir, f.name); err != nil {
		return err
	}
	return s.disk.replace(s.path(f.name), func(w io.Writer) error {
		_, err := w.Write(append(after, '\n'))
		return err
	})
}
