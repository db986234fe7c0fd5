package record

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
)

// writtenAlarm is how a threshold stands, as a recording has it. What its figure is
// stands in the samples.
type writtenAlarm struct {
	alarm.Threshold
	Since *time.Time `json:"since,omitempty"` // it is crossed
}

// Alarms adds how thresholds stand, when that is another than before.
func (w *Writer) Alarms(all []alarm.Status) error {
	same := func(a, b alarm.Status) bool {
		return a.Threshold == b.Threshold && a.Crossed == b.Crossed && a.Since.Equal(b.Since)
	}
	if w.err != nil || all == nil || w.alarms != nil && slices.EqualFunc(all, w.standing, same) {
		return w.err
	}
	written := make([]writtenAlarm, len(all))
	for i, a := range all {
		written[i].Threshold = a.Threshold
		if a.Crossed {
			written[i].Since = &all[i].Since
		}
	}
	text, err := json.Marshal(written)
	if err != nil {
		w.err = err
	} else if w.standing, w.alarms = all, text; w.coder.last != nil { // else the first sample comes with them
		w.event(alarmsEvent, text)
	}
	return w.err
}

// readAlarms reads how thresholds stood; a list of none is not nil.
func readAlarms(text []byte) ([]alarm.Status, error) {
	all := []alarm.Status{}
	err := eachOf(text, func(a writtenAlarm) error {
		if len(all) == alarm.Most {
			return fmt.Errorf("there are more than %d", alarm.Most)
		}
		one := alarm.Status{Threshold: a.Threshold, Crossed: a.Since != nil}
		if a.Since != nil {
			one.Since = *a.Since
		}
		all = append(all, one)
		return a.Check()
	})
	if err != nil {
		return nil, fmt.Errorf("thresholds: %w", err)
	}
	return all, nil
}

// alarmsIn is how thresholds stand with what their figures are in a sample.
func alarmsIn(s *ops.Sample, all []alarm.Status) []alarm.Status {
	all = slices.Clone(all)
	for i := range all {
		a := &all[i]
		a.Value, a.Known, a.Listed = a.Figure.Of(a.Row, s)
	}
	return all
}
