# lvsdeck: make run opens the console, make test passes all tests. Both install
# what they need, once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
GO ?= go
export CGO_ENABLED := 0

# Packages with tests that need the lab's kernel. Three run at a time, as each waits for
# a third of its time, in this order: the longest go first, so that none is left to run
# alone.
LAB := ./lab/flow ./ops/setup ./ops/realserver ./ops/check ./ops/probe ./ops/ipvsadm ./ops/plan ./ops/confirm ./ops/why ./ops/path ./netcfg ./lab ./ipvs/kernel ./ops/boot ./ops/block ./ops/conns ./persist ./ipvs/proc

.PHONY: run demo lab test check lint test-plain test-lab bench screenshots install race keys clean tools

## make run        build and open the console; without a director, the demo
run: bin/lvsdeck
	@if why=$$(bin/lvsdeck list 2>&1 >/dev/null); then exec bin/lvsdeck; \
	else echo "$$why"; echo "Opening the demo instead."; exec bin/lvsdeck --demo; fi

## make demo       build and open the console on made-up traffic
demo: bin/lvsdeck
	@exec bin/lvsdeck --demo

## make lab        the console on a real kernel with live traffic, in a virtual machine
lab: tools bin/lvsdeck bin/labrun bin/labsite
	@exec bin/labrun -t -add bin/lvsdeck bin/labsite lvsdeck

## make test       everything: lint, plain tests, and tests on a real kernel
test: tools lint test-plain test-lab

## make check      what every commit must pass: quick, no virtual machine
check: lint test-plain

lint:
	@bad=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$bad" ]; then echo "not gofmt-ed: $$bad"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags boot ./lab/run
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags boot ./lab/run

test-plain: tools
	$(GO) test ./...

## make test-lab   the tests on a real kernel; LVSDECK_LAB_SUITE=trixie-backports takes that suite's
test-lab: tools bin/labrun bin/lvsdeck
	$(GO) test -count=1 -tags boot ./lab/run
	$(GO) test -p 3 -timeout 15m -exec "$(CURDIR)/bin/labrun -add $(CURDIR)/bin/lvsdeck" $(LAB)

## make bench      what is fast, measured beside ipvsadm, as ratios
bench: tools bin/labrun bin/lvsdeck
	$(GO) test -run '^$$' -bench . -benchtime 3s ./ui ./ops ./ops/history ./ops/pulse ./ops/conns ./ops/check ./ops/alarm ./ops/record ./ops/report ./cmd/lvsdeck
	$(GO) test -count=1 -run TestFrameBytes -v ./ui
	LVSDECK_BENCH=1 $(GO) test -v -run Speed -timeout 20m -exec "$(CURDIR)/bin/labrun" ./ipvs/kernel ./ops/plan ./ops/conns

## make screenshots  pictures by the program itself, in screenshots/
screenshots: bin/lvsdeck
	$(GO) run ./screenshots/make

## make install    the program into /usr/local/sbin (PREFIX, DESTDIR)
PREFIX ?= /usr/local
install: bin/lvsdeck
	install -D -m 755 bin/lvsdeck $(DESTDIR)$(PREFIX)/sbin/lvsdeck

## make race       the plain tests under the race detector (needs a C compiler)
race:
	CGO_ENABLED=1 $(GO) test -race ./ipvs/... ./netcfg/... ./ops/... ./ui/...

## make keys       write docs/keys.md from the console's own table of commands
keys: bin/lvsdeck
	bin/lvsdeck keys > docs/keys.md

# Always built: go knows best what is out of date.
.PHONY: bin/lvsdeck bin/labrun bin/labsite
bin/lvsdeck:
	@$(GO) build -trimpath -o $@ ./cmd/lvsdeck
bin/labrun:
	@$(GO) build -o $@ ./lab/run
bin/labsite:
	@$(GO) build -o $@ ./lab/site

# What tests and lab need from Debian, installed only when it is not there.
tools:
	@need=""; \
	command -v qemu-system-x86_64 >/dev/null || need="$$need qemu-system-x86"; \
	command -v tmux >/dev/null || need="$$need tmux"; \
	if [ -n "$$need" ]; then \
		sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		echo "Installing from Debian:$$need"; \
		$$sudo apt-get update -q; \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$need; \
	fi

clean:
	rm -rf bin
