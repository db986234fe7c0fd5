package pulse

import (
	"fmt"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
)

// Merge makes one row of all that ails one host: what its services say of it has one
// cause, as a rule. The worst stands for all, but no figure that fell where something
// comes nearer to why; a fault of another kind stays a row of its own. The rows are in
// order, and stay so.
func Merge(rows []Row) (merged []Row) {
	lead := map[netip.Addr]int{}
	for _, r := range rows {
		at, met := lead[r.Server.Addr()]
		switch {
		case !r.ailing():
		case !met:
			lead[r.Server.Addr()] = len(merged)
		case merged[at].Kind == Active && r.Kind != Active:
			figure := merged[at]
			r.Also, figure.Also = append(figure.Also, figure), nil
			merged[at] = r
			continue
		case r.Severity == check.Fault && r.Short != merged[at].Short:
		default:
			merged[at].Also = append(merged[at].Also, r)
			continue
		}
		merged = append(merged, r)
	}
	return merged
}

// ailing tells that a row is about a server that is not well.
func (r Row) ailing() bool {
	return r.Server.IsValid() && (r.Kind == Found || r.Kind == HalfOpen || r.Kind == Active && !r.More())
}

// Host tells that a row is about a host in more than one place, and gives it.
func (r Row) Host() (a netip.Addr, ok bool) {
	return r.Server.Addr(), slices.ContainsFunc(r.Also, func(o Row) bool { return o.Service != r.Service || o.Server != r.Server })
}

// Services are those of a row and of what is also about its host.
func (r Row) Services() []ipvs.ServiceID {
	all := []ipvs.ServiceID{r.Service}
	for _, o := range r.Also {
		if !slices.Contains(all, o.Service) {
			all = append(all, o.Service)
		}
	}
	return all
}

// inServices says in how many services it is the same, where it is more than one.
func (r Row) inServices() string {
	same := r
	same.Also = slices.DeleteFunc(slices.Clone(r.Also), func(o Row) bool { return !r.says(o) })
	if n := len(same.Services()); n > 1 {
		return fmt.Sprintf(": %d services", n)
	}
	return ""
}

// says tells that two findings say the same.
func (r Row) says(o Row) bool { return r.Kind == Found && o.Kind == Found && o.Short == r.Short }

// Others says in words what else is about a row's host, each once.
func (r Row) Others() (says []string) {
	for _, o := range r.Also {
		what := o.What()
		if o.Kind == HalfOpen {
			what += fmt.Sprintf(" (%.0f%%)", 100*o.Now)
		}
		if r.says(o) || slices.Contains(says, what) {
			continue
		}
		says = append(says, what)
	}
	return says
}
