package ui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/persist"
	"lvsdeck/ui/services"
)

// cannotLabel is why rows cannot be named, or "". The kernel's table is not
// touched, so that another plan or a held picture is no reason.
func cannotLabel(m *Model) string {
	switch {
	case m.opts.Limits.ReadOnly:
		return "read-only: " + m.opts.Limits.Why
	case m.opts.Store == nil:
		return "names cannot be kept here"
	}
	return noRows(m)
}

// openLabel asks for the name and the note of the cursor's row.
func openLabel(m *Model) tea.Cmd {
	row, _ := m.list.Current()
	key := persist.ServiceKey(row.Service.ServiceID)
	if row.Server != nil {
		key = persist.ServerKey(row.Service.ServiceID, row.Server.Addr)
	}
	name := typedField("name", "name", row.Label.Name, "stands beside the address; the filter finds it")
	note := typedField("note", "note", row.Label.Note, "stands in the detail (tab); the filter finds it")
	m.push(&form{title: "Name and note of " + key, fields: []*field{name, note}, finish: func(m *Model, f *form) tea.Cmd {
		return m.keepLabel(f, key, services.TidyLabel(persist.Label{Name: f.get("name"), Note: f.get("note")}))
	}})
	return nil
}

// keepLabel writes a label beside the loop, and then shows all anew: another
// console may have changed some.
func (m *Model) keepLabel(f *form, key string, label persist.Label) tea.Cmd {
	side := m.opts.Store.Labels()
	type kept struct {
		all map[string]persist.Label
		err error
	}
	return readThen(nil, func(context.Context, ipvs.Table) (k kept, _ error) {
		k.err = side.Update(func(all map[string]persist.Label) {
			if all[key] = label; label == (persist.Label{}) {
				delete(all, key)
			}
			k.all = all
		})
		return k, nil
	}, func(m *Model, k kept) {
		if k.err != nil {
			m.tell("The name was not kept", k.err)
			return
		}
		m.drop(f)
		m.list.SetLabels(services.NewLabels(k.all))
		m.message = "kept: name and note of " + key
	})
}
