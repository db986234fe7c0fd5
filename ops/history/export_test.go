package history

// Columns is how many columns were ever given.
func (s *Store) Columns() (services, servers int) {
	return int(s.ofServices.used), int(s.ofServers.used)
}

// NewBounded is New with another bound of each tier.
func NewBounded(bytes int) *Store {
	s := New()
	s.bytes = [len(tiers)]int{bytes, bytes, bytes}
	return s
}
