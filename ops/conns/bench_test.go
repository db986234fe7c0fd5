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
			for _, by := range []struct{ name, key string }{
				{"client", "$2"}, {"server", `$1 " " $4 ":" $5 " " $6 ":" $7`}, {"state", `$1 " " $8`},
			} {
				run("awk by "+by.name, awk(by.key, "{n[k]++}"))
				run("awk by "+by.name+", all counts", awk(by.key, allCounts))
			}
		})
	}
}

// allCounts is what Read tells of each group: connections, established, half open
// and idle ones, templates.
const allCounts = `$3 == "0000" {t[k]++; next}
	{n[k]++}
	$8 == "ESTABLISHED" {o[k]++}
	$8 == "SYN_RECV" || $8 == "SYN_SENT" || $8 == "SYNACK" {h[k]++}
	2 * $NF < T[$8] {i[k]++}`

// awk does something with the lines of each key.
func awk(key, do string) func(in *os.File) error {
	return func(in *os.File) error {
		const timeouts = `T["ESTABLISHED"] = 900; T["FIN_WAIT"] = T["TIME_WAIT"] = 120; T["SYN_RECV"] = T["CLOSE_WAIT"] = 60; T["CLOSE"] = 10; T["UDP"] = 300`
		cmd := exec.Command("awk", "BEGIN {"+timeouts+"} NR == 1 {next} {k = "+key+"} "+do+" END {for (k in n) print n[k], o[k], h[k], i[k], t[k], k}")
		cmd.Stdin = in
		return cmd.Run()
	}
}
