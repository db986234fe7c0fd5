package services

// Mark marks or unmarks the cursor's row and moves on.
func (l *List) Mark() {
	if l.total == 0 {
		return
	}
	if l.marks[l.cursor] {
		delete(l.marks, l.cursor)
	} else {
		l.marks[l.cursor] = true
	}
	l.Move(1)
}

// Unmark clears all marks.
func (l *List) Unmark() { clear(l.marks) }

// Marked tells whether a row is marked.
func (l *List) Marked(k Key) bool { return l.marks[k] }

// Chosen is the rows that a command acts on: those marked, shown or not, or else
// the cursor's.
func (l *List) Chosen() []Row {
	if len(l.marks) == 0 || l.aim != nil {
		if row, ok := l.Current(); ok {
			return []Row{row}
		}
		return nil
	}
	var rows []Row
	for _, s := range l.sample.Services {
		if l.marks[Key{Service: s.ServiceID}] {
			rows = append(rows, Row{Service: s})
		}
		for _, r := range s.Servers {
			if l.marks[Key{s.ServiceID, r.Addr}] {
				rows = append(rows, Row{Service: s, Server: r})
			}
		}
	}
	return rows
}

// Hidden tells that marked rows are out of sight: their service is closed, or a
// search leaves them out.
func (l *List) Hidden() bool {
	seen := 0
	for i := range l.groups {
		g := &l.groups[i]
		if l.marks[Key{Service: g.svc.ServiceID}] {
			seen++
		}
		for _, r := range g.servers {
			if g.open && l.marks[Key{g.svc.ServiceID, r.Addr}] {
				seen++
			}
		}
	}
	return seen < len(l.Chosen()) && len(l.marks) > 0 && l.aim == nil
}

// Marks is how many rows are marked, shown or not.
func (l *List) Marks() int { return len(l.marks) }
