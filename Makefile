# boardcast: `make run` streams this machine's camera to a browser, `make test` is the whole truth about the code.
# Both first install, by apt, what is missing here; each line below is one that a person could type as well.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run build test check lint fuzz lab soak bench bench-viewers amd64 arm64 armhf packages test-packages test-service \
	deploy test-board clean

BIN := bin/boardcast
ARGS ?=
FUZZTIME ?= 10m
FUZZJOBS ?= 2
# How many nearly right offers and answers of each kind the program is sent; 0: none.
MUTATIONS ?= 20000
SOAK ?= 1h
BENCH ?= .
LINT_VERSION := v2.15.0
LINT := bin/tools/golangci-lint-$(LINT_VERSION)
# The last version without packages for Windows. Later versions need more Go modules for them.
NFPM_VERSION := v2.45.2
NFPM := bin/tools/nfpm-$(NFPM_VERSION)
# Which Debian a cross build and a package are for.
BASE ?= 12
ARCHS ?= amd64 arm64 armhf
# Which machine test-service emulates: amd64 is a PC, arm64 a Raspberry Pi 3.
ARCH ?= amd64
# The board of deploy and test-board, USER@HOST, options for ssh, and a package that is there already.
BOARD ?=
export SSH ?=
export DEB ?=

# These flags are part of the build cache's key. All targets have the same ones, or the GStreamer binding would be compiled twice. The
# version goes in by -ldflags, which is no part of that key.
export GOFLAGS := -trimpath -buildvcs=false $(GOFLAGS)
export PATH := $(PATH):/usr/local/go/bin
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null)
COMMIT = $(shell git rev-parse HEAD 2>/dev/null)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9 -]*:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

run: build ## build and stream (ARGS="--camera test" passes flags)
	@exec $(BIN) $(ARGS)

build: ## build bin/boardcast
	@test/bootstrap.sh run
	@test/cold.sh
	go build -ldflags '-X main.version=$(VERSION) -X main.commit=$(COMMIT)' -o $(BIN) ./cmd/boardcast

test: ## everything: unit tests, real GStreamer, the page, real browsers
	@test/all.sh

check: lint ## the inner loop: lint, and the tests that need no GStreamer
	go test -tags nogst ./...

lint: $(LINT) ## golangci-lint, built once into bin/tools
	$(LINT) run --build-tags e2e,lab,nogst ./...
	@[[ ! -x $(BIN) ]] || (set -x; $(LINT) run --build-tags e2e ./pipeline/gst/... ./cmd/...)

$(LINT):
	@echo 'building golangci-lint $(LINT_VERSION), once: some four minutes of processor time'
	GOBIN=$(CURDIR)/bin/tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv bin/tools/golangci-lint $@

fuzz: build ## every fuzz target for FUZZTIME (10m), and MUTATIONS (20000)
	@test/fuzz.sh $(FUZZTIME) $(FUZZJOBS) $(MUTATIONS)

lab: build ## the real-kernel run under QEMU: cameras, sound, a browser
	@test/lab/run

soak: build ## an hour (SOAK=4m) of coming and going in the lab, plotted in docs
	@LAB_SOAK=$(SOAK) test/lab/run -run '^TestSoak$$' -timeout 0

bench: ## benchmarks (BENCH=regexp chooses)
	go test -tags nogst -run '^$$' -bench '$(BENCH)' -benchmem ./...

bench-viewers: build ## what 1 to 30 viewers cost, and how long one waits for its first frame
	@test/bootstrap.sh test
	@cd test/e2e/browser && npm ci --no-audit --no-fund
	go test -tags e2e -run '^$$' -bench 'BenchmarkViewers|BenchmarkJoin' -benchtime 1x -timeout 20m -v ./test/e2e

amd64 arm64 armhf: ## cross-build bin/ARCH/debian12/boardcast (BASE=13: for Debian 13)
	@test/bootstrap.sh packages $@
	@VERSION=$(VERSION) COMMIT=$(COMMIT) internal/packaging/build.sh $@ $(BASE)

packages: $(ARCHS) $(NFPM) ## .deb and .tar.gz of the three, in dist (BASE=13, ARCHS=arm64)
	@NFPM=$(NFPM) internal/packaging/package.sh $(BASE) $(ARCHS)

$(NFPM):
	@echo 'building nfpm $(NFPM_VERSION), once: a minute or two of processor time'
	GOBIN=$(CURDIR)/bin/tools go install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)
	@mv bin/tools/nfpm $@

test-packages: ## as root: install the packages of dist in fresh Debians, play them (BASE=, ARCHS=)
	@test/packages.sh $(BASE) $(ARCHS)

test-service: ## as root: the service of a package in dist, in a virtual machine (BASE=, ARCH=arm64)
	@test/service.sh $(BASE) $(ARCH)

deploy: ## build for a board, install and start it there (BOARD=pi@host)
	@test/deploy.sh "$(BOARD)"

test-board: ## a browser against a board, a row for docs/BOARDS.md (BOARD=)
	@test/board.sh "$(BOARD)"

clean: ## remove bin, dist and what npm installed
	rm -rf bin dist test/e2e/browser/node_modules
