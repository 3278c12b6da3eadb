# Everything is done by the hub's own commands; these are their short forms.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

RACY := ./payments/... ./pkg/pg/... ./pkg/rest/... ./marketplace/catalog/... ./marketplace/orders/...

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/hub and bin/hubsim
	@mkdir -p bin
	go build -o bin/ ./cmd/...

.PHONY: run
run: build ## start the hub, its database, a demonstration market and the stand-in partners
	@exec bin/hub run

.PHONY: demo
demo: build ## play the main job over HTTP against the running hub
	@exec bin/hub demo

.PHONY: verify
verify: build ## prove the running hub's books: each invariant with its count
	@exec bin/hub verify

.PHONY: test
test: ## run every test against a real PostgreSQL
	go run ./cmd/hub postgres -- go test ./...

.PHONY: race
race: ## run the tests of money, stock and the edge under the race detector
	go run ./cmd/hub postgres -- go test -race $(RACY)

.PHONY: long
long: ## run tests in their long form: ten demos, ten rounds of kill -9, 200 races for one escrow (10 minutes)
	HUB_LONG=1 go run ./cmd/hub postgres -- go test -count=1 -timeout 30m -run 'Hub|Killed|Misbehaves' ./cmd/hub
	HUB_LONG=1 go run ./cmd/hub postgres -- go test -count=1 -timeout 30m -run 'AnySequence|OneWins' ./payments/escrow ./payments/disputes

.PHONY: faults
faults: SEED ?= 1
faults: SEEDS ?= 1000
faults: ## play SEEDS=1000 seeds of partners' faults from SEED=1 on: each movement once (7 minutes)
	SEED=$(SEED) SEEDS=$(SEEDS) go run ./cmd/hub postgres -- go test -count=1 -timeout 60m -v -run 'RandomFaults' ./cmd/hub

.PHONY: bench
bench: build ## measure the ledger, checkout and lists against pgbench on one server
	@exec bin/hub bench

.PHONY: relevance
relevance: build ## ask each search engine the graded queries: nDCG@10, MRR and zero results by language
	@exec bin/hub relevance

.PHONY: check
check: build ## format, vet, staticcheck, arrows, generated files, modules
	@echo "== format";      out=$$(go tool gofumpt -l $$(go list -f '{{.Dir}}' ./...)); [ -z "$$out" ] || { echo "$$out"; echo "run: make fmt"; exit 1; }
	@echo "== vet";         go vet ./...
	@echo "== staticcheck"; go tool staticcheck ./...
	@echo "== arrows";      go test -count=1 ./pkg/arch
	@echo "== generated";   bin/hub openapi | diff -u docs/openapi.json - || { echo "docs/openapi.json is not what the code says; run: make openapi"; exit 1; }
	@bin/hub machine | diff -u docs/escrow.md - || { echo "docs/escrow.md is not what the code says; run: make escrow"; exit 1; }
	@echo "== modules";     go mod tidy -diff && go mod verify

.PHONY: openapi
openapi: build ## write docs/openapi.json from the routes
	bin/hub openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

.PHONY: escrow
escrow: build ## write docs/escrow.md from the escrow's machine
	bin/hub machine > docs/escrow.md.new && mv docs/escrow.md.new docs/escrow.md

.PHONY: fmt
fmt: ## format the code
	go tool gofumpt -l -w $$(go list -f '{{.Dir}}' ./...)
