package memory_test

import (
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ipvs/tabletest"
)

func TestTable(t *testing.T) {
	tabletest.Run(t, func(*testing.T) ipvs.Table { return memory.New() })
}
