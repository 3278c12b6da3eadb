package arch

import (
	"slices"
	"strings"
)

// A fence says who may import some packages of others.
type fence struct {
	rule string
	what []string // import paths, with all below them
	open func(f file) bool
	fix  string
}

// only opens a fence to the packages of these patterns.
func only(patterns ...string) func(file) bool {
	return func(f file) bool { return within(f.dir(), patterns...) }
}

// orTests opens a fence to the packages of these patterns and to all tests.
func orTests(patterns ...string) func(file) bool {
	return func(f file) bool { return f.test || within(f.dir(), patterns...) }
}

var fences = []fence{
	{"pgx", []string{"github.com/jackc"}, speaksSQL, "SQL lives in postgres.go, or in the few platform packages that run it"},
	{"pgx", []string{"database/sql"}, only("migrations"), "use pkg/pg; only goose needs database/sql"},
	{"net/http", []string{"net/http"}, speaksHTTP, "routes live in http.go, calls to partners in drivers, and pkg/rest and pkg/outbound carry both"},
	{"go-kit", []string{"github.com/go-kit"}, carriesKit, "only pkg/rest knows go-kit, and of it only endpoint and transport/http"},
	{"river", []string{"github.com/riverqueue"}, queuesJobs, "queue with tx.Enqueue and work with job.Handle; only jobs.go names river, for its options"},
	{"fence", []string{"github.com/cedar-policy"}, only("pkg/authz"), "ask pkg/authz"},
	{"fence", []string{"github.com/sony/gobreaker"}, only("pkg/outbound"), "call through pkg/outbound"},
	{"fence", []string{"github.com/hashicorp/go-retryablehttp"}, only("adapters/*/*/...", "pkg/outbound"), "it is for reads of partners only"},
	{"fence", []string{"github.com/swaggest", "github.com/santhosh-tekuri/jsonschema"}, orTests("pkg/rest"), "struct tags are the contract; pkg/rest reads them"},
	{"fence", []string{"github.com/fergusstrange/embedded-postgres"}, only("pkg/pgserver"), "ask pkg/pgserver for a server"},
	{"fence", []string{"github.com/pressly/goose"}, only("migrations"), "call migrations.Up"},
	{"fence", []string{"github.com/meilisearch"}, only("search/meili"), "search through the Index"},
	{"fence", []string{"github.com/alecthomas/kong"}, only("cmd/..."), "flags belong to commands; take plain options"},
	{"fence", []string{"go.opentelemetry.io/otel/exporters"}, only("cmd/..."), "it brings 175 packages along; only commands choose where traces go"},
	{"fence", []string{"github.com/Shopify/toxiproxy", "github.com/rs/zerolog"}, only("pkg/outbound/netfault", "cmd/hublab/..."), "play network faults with pkg/outbound/netfault"},
	{"fence", []string{"testing", "github.com/google/go-cmp", "pgregory.net/rapid", "go.uber.org/goleak"}, onlyTests, "it is for tests, and the packages that serve them"},
}

// imports checks who imports which packages of others.
func imports(h House) (out []Violation) {
	for _, f := range h.files {
		for spec, p := range f.imported {
			for _, c := range fences {
				if !slices.ContainsFunc(c.what, func(w string) bool { return p == w || strings.HasPrefix(p, w+"/") }) || c.open(f) {
					continue
				}
				out = append(out, f.breaks(spec, c.rule, "%s is not for %s; %s", p, f.name, c.fix))
			}
		}
	}
	return out
}

func onlyTests(f file) bool { return f.test || support(f.dir()) }

// speaksSQL says which files may use pgx: the postgres.go files of packages
// that have a database, the platform packages that run SQL for all, and the
// collector that reads the pool's figures. Tests of packages that have a
// database may, to count round trips and to break books by hand.
func speaksSQL(f file) bool {
	if within(f.dir(), "web/...", "adapters/...", "cmd/hubsim/...") {
		return false
	}
	return f.test || f.role("postgres") || f.name == "pkg/telemetry/pool.go" ||
		within(f.dir(), "pkg/pg", "pkg/pgtest", "pkg/job", "pkg/event", "pkg/audit", "search/pgsearch", "migrations")
}

// speaksHTTP says which files may use net/http. Tests play callers and
// partners, so all of them may.
func speaksHTTP(f file) bool {
	return onlyTests(f) || f.role("http") ||
		within(f.dir(), "adapters/*/*/...", "adapters/remote/...", "search/meili", "web/...", "cmd/...",
			"pkg/rest", "pkg/auth", "pkg/outbound", "pkg/webhook", "pkg/telemetry")
}

func carriesKit(f file) bool {
	for _, p := range f.imported {
		if strings.HasPrefix(p, "github.com/go-kit") && p != "github.com/go-kit/kit/endpoint" && p != "github.com/go-kit/kit/transport/http" {
			return false
		}
	}
	return within(f.dir(), "pkg/rest")
}

// queuesJobs says which files may name River: those that carry jobs, and
// jobs.go for the options of a job.
func queuesJobs(f file) bool {
	if within(f.dir(), "pkg/pg", "pkg/job", "pkg/event", "pkg/pgtest", "migrations") {
		return true
	}
	for _, p := range f.imported {
		if strings.HasPrefix(p, "github.com/riverqueue/") && p != riverPath {
			return false
		}
	}
	return f.test || f.role("jobs")
}

const riverPath = "github.com/riverqueue/river"
