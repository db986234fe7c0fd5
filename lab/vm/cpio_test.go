package vm

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// entry is one file of an archive, as the test reads it back.
type entry struct {
	name string
	mode uint64
	data string
}

// readArchive reads what archive writes, by the kernel's description and not by
// the writer's code.
func readArchive(b []byte) ([]entry, error) {
	var entries []entry
	for at := 0; ; {
		if len(b)-at < 110 || string(b[at:at+6]) != "070701" {
			return nil, fmt.Errorf("no header at %d", at)
		}
		field := func(n int) int {
			v, err := strconv.ParseUint(string(b[at+6+8*n:at+14+8*n]), 16, 32)
			if err != nil {
				panic(err)
			}
			return int(v)
		}
		nameAt := at + 110
		dataAt := (nameAt + field(11) + 3) / 4 * 4
		name := strings.TrimSuffix(string(b[nameAt:nameAt+field(11)]), "\x00")
		data := string(b[dataAt : dataAt+field(6)])
		if name == "TRAILER!!!" {
			return entries, nil
		}
		entries = append(entries, entry{name, uint64(field(1)), data})
		at = (dataAt + field(6) + 3) / 4 * 4
	}
}

func TestArchive(t *testing.T) {
	write := func() []byte {
		var b bytes.Buffer
		a := newArchive(&b)
		a.File("/etc/lab/modules", 0o644, []byte("one\n"))
		a.File("etc/hosts", 0o600, nil)
		a.Link("bin", "usr/bin")
		a.Dir("etc/lab")
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	got, err := readArchive(write())
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{
		{"etc", 0o40755, ""}, {"etc/lab", 0o40755, ""}, {"etc/lab/modules", 0o100644, "one\n"},
		{"etc/hosts", 0o100600, ""}, {"bin", 0o120777, "usr/bin"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if !bytes.Equal(write(), write()) {
		t.Error("the same files do not give the same bytes")
	}
	if len(write())%4 != 0 {
		t.Error("a second archive behind this one would not be found")
	}
}

func TestArchiveKeepsTheFirstError(t *testing.T) {
	full := errors.New("disk full")
	a := newArchive(failing{full})
	a.Dir("etc")
	a.File("etc/hosts", 0o644, nil)
	if err := a.Close(); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func FuzzArchive(f *testing.F) {
	f.Add("etc/hosts", []byte("127.0.0.1\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if strings.ContainsAny(name, "\x00/.") || name == "" || name == "TRAILER!!!" {
			return // the kernel's own limits
		}
		var b bytes.Buffer
		a := newArchive(&b)
		a.File(name, 0o644, data)
		a.File("last", 0o644, nil)
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := readArchive(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || got[0].name != name || got[0].data != string(data) {
			t.Errorf("%q came back as %v", name, got)
		}
	})
}
