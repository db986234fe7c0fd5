// Package record keeps samples in a file and plays them again, so that the screens
// show what they have shown.
//
//	recorder := record.NewRecorder(options)      sampler.Each(recorder.Hear)
//	err := recorder.Start("incident.rec", nil)   and Stop
//
//	file, err := record.Open("incident.rec")
//	player, err := record.NewPlayer(file)        a ui.Source that can be stopped and moved
//
// A recording has every sample as the screens had it, what rounds of checks came
// to, how thresholds stood, the marks on the axis of time, and the names of rows. It is written in blocks
// of about 5 s, each with a checksum, at its end only: what is cut off costs the
// last block, 5 s or one reading. Values are written as the difference to what was
// to be expected, and packed. For 1,000 services with 10 servers each, read every
// 2 s, with all connections moving and the counters of 40 services on the screen
// that is at most 42 kB a sample, 76 MB an hour; with the counters of all servers
// moving, too, 125 kB, 225 MB an hour. What is at rest takes next to nothing.
//
// What is read may be from anybody: no length is believed before the bytes are
// there, and what is wrong is told with its file and its place.
//
// A player goes back from stands that it leaves on its way: up to 512 samples, and
// fewer in a table so large that they would take more than 128 MB.
//
// Out of scope: the journal itself, connections, the incident log, and what the host
// around the table looked like.
package record
