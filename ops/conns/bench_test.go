package conns

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"lvsdeck/ops/conns/conntest"
)

// million is the size that the console is made for.
const million = 1_000_000

// BenchmarkMillion groups a million connections in a file, beside a bare read of
// it and the same grouping in awk. The kernel's own file is slower to read than
// any copy of it: see TestSpeed.
func BenchmarkMillion(b *testing.B) {
	for _, table := range []struct {
		name string
		conntest.Spec
	}{
		{"IPv4", conntest.Spec{Conns: million}},
		{"both families", conntest.Spec{Conns: million, V6: 50, UDP: 20, Template: 5, Origin: true}},
	} {
		b.Run(table.name, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "ip_vs_conn")
			out, err := os.Create(file)
			if err == nil {
				err = conntest.Write(out, table.Spec)
			}
			if err != nil {
				b.Fatal(err)
			}
			out.Close()
			run := func(name string, do func(in *os.File) error) {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						in, err := os.Open(file)
						if err == nil {
							err = do(in)
						}
						if err != nil {
							b.Fatal(err)
						}
						in.Close()
					}
					b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/op")
				})
			}
			run("bare read", func(in *os.File) error {
				_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{in}, make([]byte, 256<<10))
				return err
			})
			grouped := func(by ...By) func(*os.File) error {
				return func(in *os.File) error {
					_, err := Read(context.Background(), in, Query{By: by, Top: 20})
					return err
				}
			}
			run("by client", grouped(ByClient))
			run("by server", grouped(ByServer))
			run("by state", grouped(ByState))
			run("by all", grouped(AllBy()...))
			run("awk by client", awk("$2"))
			run("awk by server", awk(`$1 " " $4 ":" $5 " " $6 ":" $7`))
			run("awk by state", awk(`$1 " " $8`))
		})
	}
}

// awk counts the lines of each key: less than Read tells.
func awk(key string) func(in *os.File) error {
	return func(in *os.File) error {
		cmd := exec.Command("awk", "NR > 1 {n["+key+"]++} END {for (k in n) print n[k], k}")
		cmd.Stdin = in
		return cmd.Run()
	}
}
