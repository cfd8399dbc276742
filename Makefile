# Everything a person needs. `make help` says what each target does.
#
#   make up      set up, build and run the pair: node exporter, servers a and b
#   make test    set up and run every test; the last line counts passed, failed and skipped

SHELL := /bin/bash
CARGO ?= cargo
export CARGO_TERM_COLOR ?= auto

.PHONY: help up test faults conformance bench fmt tidy release setup lab clean

help: ## this text
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: ## install what building and testing need, printing each line before it runs
	@scripts/setup

release: setup ## build the program: target/release/twinfire
	$(CARGO) build --release --package twinfire

up: release ## run the pair on this machine; keys l load, k kill b, s start b, q quit
	target/release/twinfire up

lab: release ## the failover drill, judged; exit 0 only if all claims hold
	target/release/twinfire lab

test: ## every test; the last line counts passed, failed and skipped
	@scripts/setup test
	@scripts/test

faults: setup ## kill -9, 200 times, while it scrapes and takes writes: nothing shown is lost
	TWINFIRE_KILLS=200 $(CARGO) test --package twinfire --test kill -- --nocapture

conformance: setup ## upstream's test data, every folder's total
	@scripts/conformance

bench: setup ## the spikes kept as benchmarks, with their numbers
	@scripts/bench

fmt: ## format the tree
	$(CARGO) fmt --all

tidy: ## formatting, lints, walls, generated tables
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) xtask tidy
	$(CARGO) xtask docs --check

clean: ## remove what was built
	$(CARGO) clean
