package plan

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// kinds are the steps there are, by the names under which the journal has them.
// A name once written is never given to another step.
var kinds = map[string]reflect.Type{}

// names is kinds the other way round.
var names = map[reflect.Type]string{}

// Register makes a kind of step known, so that it can be written and read back.
// Packages call it from init with a zero value.
func Register(kind string, zero Step) {
	t := reflect.TypeOf(zero)
	if kinds[kind] != nil || names[t] != "" {
		panic("plan: " + kind + " is registered twice")
	}
	kinds[kind], names[t] = t, kind
}

func init() {
	Register("service", ChangeService{})
	Register("server", ChangeServer{})
	Register("flush", FlushTable{})
	Register("zero", ZeroCounters{})
	Register("timeouts", ChangeTimeouts{})
	Register("daemon", ChangeDaemon{})
}

// Written gives steps as the journal has them, in one line; an Item reads itself
// back.
func Written(items []Item) (json.RawMessage, error) {
	b := append(make([]byte, 0, 320*len(items)+2), '[')
	for n, i := range items {
		kind := names[reflect.TypeOf(i.Step)]
		if kind == "" {
			return nil, fmt.Errorf("the journal has no name for steps like %T", i.Step)
		}
		if n > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendItem(b, kind, i); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// UnmarshalJSON reads an item that was written.
func (i *Item) UnmarshalJSON(text []byte) error {
	var w struct {
		Kind, Reason, Host string
		Step               json.RawMessage
	}
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	t := kinds[w.Kind]
	if t == nil {
		return fmt.Errorf("a step of kind %q is not known here; a newer lvsdeck may have written it", w.Kind)
	}
	step := reflect.New(t)
	if err := json.Unmarshal(w.Step, step.Interface()); err != nil {
		return fmt.Errorf("a step of kind %q: %w", w.Kind, err)
	}
	*i = Item{step.Elem().Interface().(Step), w.Reason, w.Host}
	return nil
}
