package services

import (
	"strings"

	"lvsdeck/ops"
	"lvsdeck/persist"
	"lvsdeck/ui/text"
)

// Bounds of what operators write about a row, in letters.
const (
	nameLetters = 40
	noteLetters = 200
)

// Label is what operators call a row, fit for the screen.
type Label struct {
	Name, Note string

	find string // both, as a filter looks for them
}

// TidyLabel makes a label fit for the screen and for the file.
func TidyLabel(l persist.Label) persist.Label {
	return persist.Label{Name: tidy(l.Name, nameLetters), Note: tidy(l.Note, noteLetters)}
}

func tidy(s string, most int) string {
	letters := []rune(strings.Join(strings.Fields(text.Clean(s)), " "))
	return strings.TrimSpace(string(letters[:min(len(letters), most)]))
}

func newLabel(l persist.Label) Label {
	l = TidyLabel(l)
	return Label{l.Name, l.Note, strings.ToLower(l.Name + " " + l.Note)}
}

// Labels are the labels of all rows. They never change: another set replaces
// them.
type Labels struct{ of map[string]*serviceLabels }

// any tells that some row has one.
func (l Labels) any() bool { return len(l.of) > 0 }

// serviceLabels are those of a service and of its servers by their addresses, so
// that a look at a hundred thousand servers makes no keys.
type serviceLabels struct {
	own     Label
	servers map[string]Label
}

// NewLabels takes labels by the keys of a persist.Side.
func NewLabels(all map[string]persist.Label) Labels {
	l := Labels{map[string]*serviceLabels{}}
	for key, label := range all {
		server, service, ofServer := strings.Cut(key, " of ")
		if !ofServer {
			service = key
		}
		s := l.of[service]
		if s == nil {
			s = &serviceLabels{servers: map[string]Label{}}
			l.of[service] = s
		}
		if ofServer {
			s.servers[server] = newLabel(label)
		} else {
			s.own = newLabel(label)
		}
	}
	return l
}

// service is the labels in a service, nil when it has none.
func (l Labels) service(s *ops.Service) *serviceLabels {
	if len(l.of) == 0 {
		return nil
	}
	return l.of[persist.ServiceKey(s.ServiceID)]
}

// label is that of a server, or of the service itself.
func (s *serviceLabels) label(r *ops.Server) Label {
	switch {
	case s == nil:
		return Label{}
	case r == nil:
		return s.own
	}
	return s.servers[r.Name]
}

// SetLabels shows other labels.
func (l *List) SetLabels(labels Labels) {
	l.labels = labels
	l.arrange()
}
