package history

// NewBounded is New with another bound.
func NewBounded(bytes int) *Store {
	s := New()
	s.bound = bytes
	return s
}
