package main

import (
	"context"
	"errors"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/ipvs/proc"
)

// openTimeout bounds the first words with the kernel.
const openTimeout = 5 * time.Second

// openTable opens the kernel's table: with all rights, or read-only through
// /proc when only those are missing.
func openTable(ctx context.Context) (ipvs.Reader, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	table, err := kernel.Open(ctx, kernel.Options{})
	if err == nil {
		return table, nil
	}
	if errors.Is(err, ipvs.ErrPermission) {
		return proc.Open()
	}
	return nil, err
}
