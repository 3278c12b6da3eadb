# Everything is done by the hub's own commands; these are their short forms.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

RACY := ./payments/... ./pkg/pg/... ./pkg/rest/... ./marketplace/catalog/... ./marketplace/orders/...

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/hub and bin/hubsim
	@mkdir -p bin
	go build -o bin/ ./cmd/...

.PHONY: run
run: build ## start the hub, its database, a demonstration market and the stand-in partners
	@exec bin/hub run

.PHONY: demo
demo: build ## play the main job, and the other ways that money takes, against the running hub (half a minute)
	@exec bin/hub demo

.PHONY: day
day: build ## play 300 orders over two weeks on a hub of its own, and say where each centime is (two minutes)
	@exec bin/hub demo day

.PHONY: verify
verify: build ## prove the running hub's books: each invariant with its count
	@exec bin/hub verify

.PHONY: test
test: ## run every test against a real PostgreSQL
	go run ./cmd/hub postgres -- go test -timeout 25m ./...

.PHONY: race
race: ## run the tests of money, stock and the edge under the race detector
	go run ./cmd/hub postgres -- go test -race $(RACY)

.PHONY: long
long: ## run tests in their long form: ten demos, ten rounds of kill -9, 200 races for one escrow (10 minutes)
	HUB_LONG=1 go run ./cmd/hub postgres -- go test -count=1 -timeout 30m -run 'Hub|Killed|Misbehaves|Demonstrations' ./cmd/hub
	HUB_LONG=1 go run ./cmd/hub postgres -- go test -count=1 -timeout 30m -run 'AnySequence|OneWins' ./payments/escrow ./payments/disputes

.PHONY: faults
faults: SEED ?= 1
faults: SEEDS ?= 1000
faults: ## play SEEDS=1000 seeds of partners' faults from SEED=1 on: each movement once (7 minutes)
	SEED=$(SEED) SEEDS=$(SEEDS) go run ./cmd/hub postgres -- go test -count=1 -timeout 60m -v -run 'RandomFaults' ./cmd/hub

.PHONY: prism
prism: ## send the wallet driver's requests to the GSMA's own document (HUB_GSMA_SPEC=…/document.yaml), served by Prism
	@[ -n "$(HUB_GSMA_SPEC)" ] || echo "skipped: HUB_GSMA_SPEC does not say where the official document is"
	@[ -z "$(HUB_GSMA_SPEC)" ] || go test -count=1 -v -run OfficialDocument ./adapters/wallet/gsma

.PHONY: conformance
conformance: ## run every driver's suite: with faults, against official documents (HUB_SPECS) by Prism, against a real Tryton (5 minutes)
	@.ci/conformance

.PHONY: sick
sick: ## one of five partners is a black hole at 200 calls a second: the others' p99 in five paired runs (2 minutes)
	HUB_LONG=1 go test -count=1 -v -run SickPartner ./pkg/outbound

.PHONY: added
added: ## say what a call through each port adds to a bare client's: at most 40 µs and 60 allocations (half a minute)
	HUB_LONG=1 go test -count=1 -v -run AddsLittle ./adapters/remote

.PHONY: sim
sim: SEEDS ?= 2000
sim: ## play SEEDS=2000 random lives of money against the oracle, all invariants after each command (20 minutes)
	SEEDS=$(SEEDS) go run ./cmd/hub postgres -- go test -count=1 -timeout 120m -v -run 'OracleSays' ./payments/sim

# The pure files are all but these, which have SQL, routes or steps in a
# transaction: tests with a database show those.
GREMLINS      := go run github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0 unleash --threshold-efficacy 80 --threshold-mcover 80 \
  --invert-logical --invert-loopctrl --invert-assignments --remove-self-assignments --timeout-coefficient 20
impure_ledger := postgres|http|service|past|closing|hold|surplus|free|reverse|seal|lane
impure_escrow := agent|postgres|http|service|events|jobs|tellings|document|payable|cover|refund|release|cash|case|chargeback|reclaim|ruling|sweep

.PHONY: mutate
mutate: OF ?= money ledger escrow
mutate: ## break the pure code of OF="money ledger escrow" in all ways and see its tests fail; floor 80 % (6 minutes)
	@for p in $(OF); do echo "== $$p"; case $$p in \
	  money)  GOFLAGS="$${GOFLAGS:-} -short" $(GREMLINS) ./pkg/money ;; \
	  ledger) GOFLAGS="$${GOFLAGS:-} -short" $(GREMLINS) -E '$(impure_ledger)' ./payments/ledger ;; \
	  escrow) GOFLAGS="$${GOFLAGS:-} -short" $(GREMLINS) -E '$(impure_escrow)' ./payments/escrow ;; \
	  *) echo "there is no $$p"; exit 2 ;; esac; done

.PHONY: fuzz
fuzz: TIME ?= 30s
fuzz: ## hold each parser against its oracle for TIME=30s
	@go list -f '{{.Dir}}' ./... | while read -r dir; do \
	  { grep -hoE '^func Fuzz[A-Za-z0-9]*' "$$dir"/*_test.go 2>/dev/null || true; } | sed 's/func //' | while read -r name; do \
	    echo "== $${dir#$(CURDIR)/} $$name"; go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(TIME) "$$dir" </dev/null; done; done

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
	@t=$$(mktemp -d) && cp -r web $$t && go tool templ generate -path $$t/web >/dev/null 2>&1; diff -r web $$t/web || { echo "the pages' code is not what their templates say; run: make pages"; exit 1; }; rm -r $$t
	@bin/hub machine | diff -u docs/escrow.md - || { echo "docs/escrow.md is not what the code says; run: make escrow"; exit 1; }
	@bin/hub promises | diff -u docs/guarantees.md - || { echo "docs/guarantees.md is not what the code says; run: make guarantees"; exit 1; }
	@echo "== modules";     go mod tidy -diff && go mod verify

# What runs in a real browser needs Chromium and a few programs from npm; without
# them it says so and ends well.
chromium = command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-core; } >/dev/null 2>&1 || true; \
  for d in web/check $(1); do [ -d $$d/node_modules ] || (cd $$d && npm ci --ignore-scripts --no-audit --no-fund >/dev/null 2>&1) || true; done; \
  if ! command -v chromium >/dev/null; then echo "skipped: there is no Chromium, and it cannot be installed"; exit 0; fi; \
  for d in web/check $(1); do [ -d $$d/node_modules ] || { echo "skipped: npm cannot install what $$d needs"; exit 0; }; done

.PHONY: web-check
web-check: build ## walk the journeys and hold every page to its gates in Chromium (15 minutes; SHORT=1: two journeys, four pages)
	@$(call chromium); cd web/check && node check.mjs $(if $(SHORT),--short)

.PHONY: sheets
sheets: build ## take pictures of every page in French and Arabic, eight to a sheet, into OUT=folder
	@[ -n "$(OUT)" ] || { echo "say which folder the sheets go to: make sheets OUT=…"; exit 2; }
	@$(call chromium); out=$$(realpath -m "$(OUT)"); cd web/check && node sheets.mjs "$$out"

.PHONY: lighthouse
lighthouse: build ## report what Lighthouse says of four pages, the median of three runs (5 minutes)
	@$(call chromium,web/check/lighthouse); cd web/check/lighthouse && node lighthouse.mjs

.PHONY: pages
pages: ## make the pages' code from their templates
	go tool templ generate -path web

.PHONY: openapi
openapi: build ## write docs/openapi.json from the routes
	bin/hub openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

.PHONY: escrow
escrow: build ## write docs/escrow.md from the escrow's machine
	bin/hub machine > docs/escrow.md.new && mv docs/escrow.md.new docs/escrow.md

.PHONY: guarantees
guarantees: build ## write docs/guarantees.md from the table of promises
	bin/hub promises > docs/guarantees.md.new && mv docs/guarantees.md.new docs/guarantees.md

.PHONY: fmt
fmt: ## format the code
	go tool gofumpt -l -w $$(go list -f '{{.Dir}}' ./...)
