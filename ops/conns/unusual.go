package conns

// What is more than usual: a share of one client, of one network, and of unfinished
// handshakes, where there are some.
const (
	MuchOfClient = .10
	MuchOfNet    = .30
	MuchHalfOpen = .25
	someHalfOpen = 20
)

// ManyHalfOpen tells more handshakes on their way than connections should have.
func (c Counts) ManyHalfOpen() bool {
	return c.HalfOpen > someHalfOpen && float64(c.HalfOpen) > MuchHalfOpen*float64(c.Conns)
}

// TooMuch tells a client or a network that has more than its part. One that was
// picked by the filter has all, and that means nothing.
func (r *Result) TooMuch(by By, c Counts) bool {
	share := r.Share(c)
	return !r.Filter.Client.IsValid() && (by == ByClient && share > MuchOfClient || by == ByNet && share > MuchOfNet)
}
