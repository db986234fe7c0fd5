package main

import (
	"os/exec"
	"testing"

	"lvsdeck/lab/screen"
)

// BenchmarkFirstFrame measures from the start of the process until a whole frame
// stands on the terminal's screen. The aim is less than 100 ms.
func BenchmarkFirstFrame(b *testing.B) {
	for _, kind := range []string{"steady", "incident", "big"} {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				term, err := screen.Open(80, 24)
				if err != nil {
					b.Fatal(err)
				}
				cmd := exec.Command(program, "--demo="+kind)
				cmd.Env = ordinary().env
				if err := term.Start(cmd); err != nil {
					b.Fatal(err)
				}
				if err := term.WaitFor(soon, "the first frame", func(f *screen.Frame) bool { return f.Has("SERVICE", "q quit") }); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				term.Close()
				b.StartTimer()
			}
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/op")
		})
	}
}
