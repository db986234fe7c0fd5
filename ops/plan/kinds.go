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

// itemJSON is an Item as the journal has it.
type itemJSON struct {
	Kind   string          `json:"kind"`
	Step   json.RawMessage `json:"step"`
	Reason string          `json:"reason"`
	Host   string          `json:"host,omitempty"`
}

// MarshalJSON writes the step with its kind.
func (i Item) MarshalJSON() ([]byte, error) {
	kind := names[reflect.TypeOf(i.Step)]
	if kind == "" {
		return nil, fmt.Errorf("the journal has no name for steps like %T", i.Step)
	}
	step, err := json.Marshal(i.Step)
	if err != nil {
		return nil, err
	}
	return json.Marshal(itemJSON{kind, step, i.Reason, i.Host})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (i *Item) UnmarshalJSON(text []byte) error {
	var j itemJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	t := kinds[j.Kind]
	if t == nil {
		return fmt.Errorf("a step of kind %q is not known here; a newer lvsdeck may have written it", j.Kind)
	}
	step := reflect.New(t)
	if err := json.Unmarshal(j.Step, step.Interface()); err != nil {
		return fmt.Errorf("a step of kind %q: %w", j.Kind, err)
	}
	i.Step, i.Reason, i.Host = step.Elem().Interface().(Step), j.Reason, j.Host
	return nil
}
