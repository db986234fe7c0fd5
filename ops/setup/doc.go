// Package setup is the engine of the guided set-up: from what an operator wishes
// (Wish) and what is found out on the director (Found) to a plan in which each
// step has its reason (Draft); and the way back (Unset).
//
//	wish.Check()          what can be refused before anything is looked at
//	director.Look(wish)   finds the rest out; changes nothing
//	Make(wish, found)     pure: the draft, or Refusals
//	book.Apply(draft)     runs the plan, and remembers which steps it did itself
//	Prove(prober, draft)  asks other hosts whether it works
//	book.Unset(service)   the plan that takes exactly those steps back
//
// A step that another set-up needs, too, stays when one of them goes, and then is
// the other's to take back.
//
// Out of scope: the real servers' own steps (a draft only says what each of them
// must know), how probes and the timer work, what makes a set-up last over a
// restart, and every screen.
package setup
