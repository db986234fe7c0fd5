package realserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"lvsdeck/ops/setup"
)

// Remote runs the script on other hosts by the system's ssh(1): with the
// operator's own configuration, agent, known hosts and jump hosts. It never asks
// anything, never trusts an unknown host, and hands no secret on.
type Remote struct {
	Sudo bool // where the login is not root's: sudo -n

	// Window is the time after which an apply takes itself back unless a new login
	// confirms it, in whole seconds; 0: RiskyWindow of what is Risky, else never.
	Window time.Duration
}

// Remote's bounds.
const (
	atOnce    = 8
	maxOutput = 64 << 10
	hangUp    = 5 * time.Second // for a cancelled ssh to end
)

// Result is how it went on one server.
type Result struct {
	Where  string
	Code   int    // the script's exit status, as lvsdeck's; 2 when there was no answer
	Output string // as it came, not cleaned
	Err    error  // why ssh or the script could not
}

// destination is [user@]host, as ssh takes it. It can never be an option.
var destination = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9._-]{0,63}@)?[A-Za-z0-9:][A-Za-z0-9.:_-]{0,253}$`)

// CheckDestination refuses what is no [user@]host.
func CheckDestination(where string) error {
	if !destination.MatchString(where) {
		return fmt.Errorf("server %q: must be host or user@host, as for ssh", where)
	}
	return nil
}

// Do gives one command of the script (check, apply, confirm, undo) to servers, at
// most 8 at once. The results have the servers' order. Cancelling ctx ends the
// ssh; a script that runs goes on to its end.
func (r Remote) Do(ctx context.Context, w Want, command string, servers []string) []Result {
	results := make([]Result, len(servers))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, where := range servers {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = r.one(ctx, w, command, where)
		})
	}
	all.Wait()
	return results
}

func (r Remote) one(ctx context.Context, w Want, command, where string) Result {
	if err := errors.Join(CheckDestination(where), ctx.Err()); err != nil {
		return Result{Where: where, Code: 2, Err: err}
	}
	if w.Mode == setup.NAT && !w.Server.IsValid() {
		var err error
		if w.Server, err = r.address(ctx, where, w.Gateway); err != nil {
			return Result{Where: where, Code: 2, Err: err}
		}
	}
	script, err := Script(w)
	if err != nil {
		return Result{Where: where, Code: 2, Err: err}
	}
	if r.Window == 0 && w.Risky() {
		r.Window = RiskyWindow
	}
	if command != "apply" || r.Window == 0 {
		return r.script(ctx, where, script, command)
	}
	seconds := int(r.Window / time.Second)
	result := r.script(ctx, where, script, "apply", strconv.Itoa(seconds))
	if result.Code != 0 {
		return result
	}
	// A new connection proves that the way in is open.
	confirmed := r.script(ctx, where, script, "confirm")
	result.Output += confirmed.Output
	if confirmed.Code > 1 {
		result.Code = confirmed.Code
		result.Err = fmt.Errorf("applied, and no new login could confirm it: it takes itself back in %d s: %w", seconds, confirmed.Err)
	}
	if confirmed.Code != 1 {
		return result
	}
	// Nothing waits: nothing was to be done, or the login came too late.
	now := r.script(ctx, where, script, "check")
	if now.Code == 1 {
		now.Code, now.Err = 2, fmt.Errorf("applied, and taken back after %d s: no new login could confirm it before", seconds)
	}
	result.Code, result.Err = now.Code, now.Err
	return result
}

// address asks a server for the address with which it reaches its director.
func (r Remote) address(ctx context.Context, where string, director netip.Addr) (netip.Addr, error) {
	if err := unicast("gateway", director); err != nil {
		return netip.Addr{}, err
	}
	answer := r.ssh(ctx, where, "", "PATH=$PATH:/usr/sbin:/sbin", "ip", "-o", "route", "get", director.String())
	if answer.Err != nil {
		return netip.Addr{}, answer.Err
	}
	words := strings.Fields(answer.Output)
	for i, word := range words[:max(len(words)-1, 0)] {
		if word != "src" {
			continue
		}
		if a, err := netip.ParseAddr(words[i+1]); err == nil {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s does not say with which address it reaches %s; name it with --address", where, director)
}

// script gives the script to a shell of the server.
func (r Remote) script(ctx context.Context, where, script string, words ...string) Result {
	shell := []string{"sh", "-s", "--"}
	if r.Sudo {
		shell = append([]string{"sudo", "-n"}, shell...)
	}
	return r.ssh(ctx, where, script, append(shell, words...)...)
}

// arguments are those of ssh. A connection that is shared would be no new login.
func arguments(where string, command []string) []string {
	return append([]string{
		"-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10",
		"-o", "ServerAliveInterval=5", "-o", "ControlMaster=no", "-o", "ControlPath=none", "--", where,
	}, command...)
}

func (r Remote) ssh(ctx context.Context, where, input string, command ...string) Result {
	cmd := exec.CommandContext(ctx, "ssh", arguments(where, command)...)
	cmd.WaitDelay = hangUp
	cmd.Stdin = strings.NewReader(input)
	var out limited
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	result := Result{Where: where, Output: out.String()}
	var exit *exec.ExitError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		result.Code, result.Err = 2, fmt.Errorf("%s: stopped; what the script has begun it ends: %w", where, ctx.Err())
	case errors.As(err, &exit) && exit.ExitCode() == 1 && input != "":
		result.Code = 1
	case errors.As(err, &exit) && exit.ExitCode() == 255:
		result.Code, result.Err = 2, fmt.Errorf("ssh to %s: %s", where, lastLine(result.Output, "no connection"))
	case errors.As(err, &exit):
		result.Code, result.Err = 2, fmt.Errorf("%s: %s", where, lastLine(result.Output, err.Error()))
	default:
		result.Code, result.Err = 2, fmt.Errorf("ssh to %s: %w", where, err)
	}
	return result
}

func lastLine(output, otherwise string) string {
	output = strings.TrimSpace(output)
	if output == "" {
		return otherwise
	}
	return output[strings.LastIndex(output, "\n")+1:]
}

// limited keeps the beginning of what is written.
type limited struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *limited) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Buffer.Write(p[:min(len(p), maxOutput-l.Len())])
	return len(p), nil
}
