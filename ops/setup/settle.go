package setup

import (
	"fmt"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/persist"
)

// Fate is what became of a set-up.
type Fate uint8

// The fates.
const (
	Unknown Fate = iota // the book does not have it
	InForce
	Undone // its plans were taken back one by one, or by the timer
	Left   // Unset took it back
)

// all reads every set-up that the book still has.
func (b Book) all(each func(Record, Fate)) error {
	found, err := b.file().Get()
	if err != nil {
		return err
	}
	j, err := b.journal()
	if err != nil {
		return err
	}
	for _, k := range found {
		r, err := k.record()
		if err != nil {
			return err
		}
		fate := Undone
		if j.inForce(&r) {
			fate = InForce
		} else if e := j[r.gone]; r.gone != "" && (e == nil || e.InForce) {
			fate = Left
		}
		each(r, fate)
	}
	return nil
}

// Fates tells what became of the set-ups that the book has.
func (b Book) Fates() (map[ipvs.ServiceID]Fate, error) {
	fates := map[ipvs.ServiceID]Fate{}
	err := b.all(func(r Record, f Fate) { fates[r.Wish.Service] = f })
	return fates, err
}

// Settled tells what follows from a plan that nothing takes back any more: which
// set-ups shall last from now on, and which went with it.
func (b Book) Settled(plan string) (last, left []ipvs.ServiceID, err error) {
	err = b.all(func(r Record, f Fate) {
		switch {
		case plan == "":
		case f == InForce && r.keep == plan:
			last = append(last, r.Wish.Service)
		case f == Left && r.gone == plan:
			left = append(left, r.Wish.Service)
		}
	})
	slices.SortFunc(last, ipvs.ServiceID.Compare)
	slices.SortFunc(left, ipvs.ServiceID.Compare)
	return last, left, err
}

// DidBy tells whether a plan did any of a set-up's steps.
func (r Record) DidBy(plan string) bool { return slices.Contains(r.did, plan) }

// KeepAfter is the wish that set-ups last once a plan is settled.
func (b Book) KeepAfter(plan string, ids ...ipvs.ServiceID) error {
	return b.amend(ids, func(r *Record) { r.keep = plan })
}

// CameBack says that set-ups are in force although their way back was gone: a
// restart took the way back with it.
func (b Book) CameBack(ids ...ipvs.ServiceID) error {
	return b.amend(ids, func(r *Record) { r.gone = "" })
}

func (b Book) amend(ids []ipvs.ServiceID, change func(*Record)) error {
	return b.update(func(all map[string]*Record) error {
		for _, id := range ids {
			r := all[persist.ServiceKey(id)]
			if r == nil {
				return fmt.Errorf("no set-up of %s is known here", id)
			}
			change(r)
		}
		return nil
	})
}
