package arch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tiwiza/pkg/arch"
)

// sql are migrations that stand, for the rules of SQL.
const (
	platformSQL = "create schema platform;\ncreate table platform.timer (kind text);\ncreate function platform.now() returns timestamptz language sql return now();\n"
	ordersSQL   = "-- orders\ncreate schema orders;\ncreate table orders.line (id text);\n"
	ledgerSQL   = "create schema ledger;\ncreate table ledger.entry (id text, at timestamptz default now());\n"
)

// house is a module that stands, with some files of a case put in.
func house(t *testing.T, files map[string]string) arch.House {
	t.Helper()
	sources := map[string]string{
		"migrations/00001_platform.sql": platformSQL,
		"migrations/00030_orders.sql":   ordersSQL,
		"migrations/00050_ledger.sql":   ledgerSQL,
	}
	for _, p := range []string{
		"adapters/bank", "adapters/bank/bankconform", "adapters/bank/iso20022", "adapters/card/nestpay", "cmd/hub", "cmd/hubsim",
		"marketplace/catalog", "marketplace/orders", "migrations", "payments/escrow", "payments/invariants", "payments/ledger",
		"pkg/event", "pkg/job", "pkg/money", "pkg/pg", "pkg/pgserver", "pkg/pgtest", "pkg/rest", "pkg/telemetry", "search", "search/pgsearch", "web",
	} {
		name := p[strings.LastIndex(p, "/")+1:]
		sources[p+"/doc.go"] = fmt.Sprintf("// Package %s is an example.\npackage %s\n", name, name)
	}
	for name, src := range files {
		if strings.HasSuffix(name, ".go") && !strings.Contains("\n"+src, "\npackage ") {
			steps := strings.Split(name, "/")
			src = "package " + steps[len(steps)-2] + "\n" + src
		}
		sources[name] = src
	}
	h, err := arch.New(sources)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// found is each violation as "file:line rule".
func found(h arch.House) (out []string) {
	for _, v := range h.Check() {
		out = append(out, fmt.Sprintf("%s:%d %s", v.File, v.Line, v.Rule))
	}
	return out
}

// imp is a file that imports these packages, each on a line of its own from
// line 2.
func imp(paths ...string) string {
	var b strings.Builder
	for _, p := range paths {
		fmt.Fprintf(&b, "import _ %q\n", p)
	}
	return b.String()
}

func TestHouseOfTheseTestsStands(t *testing.T) {
	t.Parallel()
	if got := house(t, nil).Check(); len(got) > 0 {
		t.Errorf("got %v, want nothing", got)
	}
}

type testCase struct {
	name  string
	files map[string]string
	want  []string // "file:line rule"; none: the rule lets it pass
}

func run(t *testing.T, cases []testCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, found(house(t, c.files))); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestArrows(t *testing.T) {
	t.Parallel()
	one := func(name, src string) map[string]string { return map[string]string{name: src} }
	run(t, []testCase{
		{
			"the simulator shares the hub's money only", one("cmd/hubsim/a.go", imp("tiwiza/pkg/money", "tiwiza/adapters/bank", "tiwiza/payments/ledger", "tiwiza/search", "tiwiza/pkg/pg")),
			[]string{"cmd/hubsim/a.go:3 arrows", "cmd/hubsim/a.go:4 arrows", "cmd/hubsim/a.go:5 arrows", "cmd/hubsim/a.go:6 arrows"},
		},
		{"its tests share no more", one("cmd/hubsim/a_test.go", imp("tiwiza/adapters/bank/iso20022")), []string{"cmd/hubsim/a_test.go:2 arrows"}},
		{"the hub knows every package, and suites", one("cmd/hub/wire.go", imp("tiwiza/adapters/bank/iso20022", "tiwiza/search/pgsearch", "tiwiza/pkg/pgserver", "tiwiza/adapters/bank/bankconform", "tiwiza/web")), nil},
		{"but ships nothing of the tests", one("cmd/hub/wire.go", imp("tiwiza/pkg/pgtest")), []string{"cmd/hub/wire.go:2 arrows"}},
		{"pages call services", one("web/a.go", imp("tiwiza/marketplace/orders", "tiwiza/payments/escrow", "tiwiza/search", "tiwiza/pkg/money")), nil},
		{
			"pages know no driver and no database", one("web/a.go", imp("tiwiza/adapters/bank", "tiwiza/search/pgsearch", "tiwiza/pkg/pg")),
			[]string{"web/a.go:2 arrows", "web/a.go:3 arrows", "web/a.go:4 arrows"},
		},
		{"the trade reaches its ports", one("marketplace/orders/a.go", imp("tiwiza/payments/escrow", "tiwiza/search", "tiwiza/adapters/bank", "tiwiza/marketplace/catalog")), nil},
		{
			"the trade names no driver and not the card port", one("marketplace/orders/a.go", imp("tiwiza/adapters/bank/iso20022", "tiwiza/search/pgsearch", "tiwiza/adapters/card")),
			[]string{"marketplace/orders/a.go:2 arrows", "marketplace/orders/a.go:3 arrows", "marketplace/orders/a.go:4 arrows"},
		},
		{"its tests may name drivers", one("marketplace/orders/a_test.go", imp("tiwiza/adapters/bank/iso20022", "tiwiza/search/pgsearch", "tiwiza/pkg/pgtest")), nil},
		{"an earlier sibling never imports a later one", one("marketplace/catalog/a.go", imp("tiwiza/marketplace/orders")), []string{"marketplace/catalog/a.go:2 arrows"}},
		{"a sibling without a place", one("payments/vouchers/a.go", "// Package vouchers is an example.\npackage vouchers\nimport _ \"tiwiza/payments/ledger\"\n"), []string{"payments/vouchers/a.go:3 arrows"}},
		{
			"payments never know the trade, nor their tests",
			map[string]string{"payments/escrow/a.go": imp("tiwiza/marketplace/orders"), "payments/escrow/a_test.go": imp("tiwiza/marketplace/orders")},
			[]string{"payments/escrow/a.go:2 arrows", "payments/escrow/a_test.go:2 arrows"},
		},
		{"payments name no driver", one("payments/escrow/a.go", imp("tiwiza/adapters/card/nestpay")), []string{"payments/escrow/a.go:2 arrows"}},
		{"a driver knows its port and its suite", map[string]string{"adapters/bank/iso20022/a.go": imp("tiwiza/adapters/bank", "tiwiza/pkg/money"), "adapters/bank/iso20022/a_test.go": imp("tiwiza/adapters/bank/bankconform")}, nil},
		{
			"a driver knows no other", one("adapters/bank/iso20022/a.go", imp("tiwiza/adapters/card", "tiwiza/adapters/card/nestpay", "tiwiza/adapters/bank/berlin", "tiwiza/adapters/bank/bankconform", "tiwiza/pkg/pg")),
			[]string{"adapters/bank/iso20022/a.go:2 arrows", "adapters/bank/iso20022/a.go:3 arrows", "adapters/bank/iso20022/a.go:4 arrows", "adapters/bank/iso20022/a.go:5 arrows", "adapters/bank/iso20022/a.go:6 arrows"},
		},
		{"a port knows no driver", one("adapters/bank/a.go", imp("tiwiza/adapters/bank/iso20022")), []string{"adapters/bank/a.go:2 arrows"}},
		{"a suite knows no driver", one("adapters/bank/bankconform/a.go", imp("tiwiza/adapters/bank", "tiwiza/adapters/bank/iso20022")), []string{"adapters/bank/bankconform/a.go:3 arrows"}},
		{"search knows no driver", one("search/a.go", imp("tiwiza/search/pgsearch")), []string{"search/a.go:2 arrows"}},
		{"a search driver knows no domain", one("search/pgsearch/a.go", imp("tiwiza/search", "tiwiza/marketplace/catalog")), []string{"search/pgsearch/a.go:3 arrows"}},
		{"the platform knows no domain", one("pkg/rest/a.go", imp("tiwiza/pkg/pg", "tiwiza/marketplace/orders", "tiwiza/search", "tiwiza/migrations")), []string{"pkg/rest/a.go:3 arrows", "pkg/rest/a.go:4 arrows", "pkg/rest/a.go:5 arrows"}},
		{"the remote driver knows every port and no driver", one("adapters/remote/a.go", "// Package remote is an example.\npackage remote\n"+imp("tiwiza/adapters/bank", "tiwiza/adapters/card", "tiwiza/adapters/card/nestpay")), []string{"adapters/remote/a.go:5 arrows"}},
		{"jobs and tests' databases know no domain", map[string]string{"pkg/job/a.go": imp("tiwiza/migrations", "tiwiza/payments/ledger"), "pkg/pgtest/a.go": imp("tiwiza/payments/ledger")}, []string{"pkg/job/a.go:3 arrows", "pkg/pgtest/a.go:2 arrows"}},
		{"tests' servers come from migrations", one("pkg/pgtest/a.go", imp("tiwiza/migrations", "tiwiza/pkg/pgserver")), nil},
		{"only commands start servers", one("marketplace/orders/a.go", imp("tiwiza/pkg/pgserver")), []string{"marketplace/orders/a.go:2 arrows"}},
		{"migrations know nothing", one("migrations/a.go", imp("tiwiza/pkg/money")), []string{"migrations/a.go:2 arrows"}},
		{"a package without a room", one("billing/a.go", "// Package billing is an example.\npackage billing\n"), []string{"billing/a.go:2 arrows"}},
		{"a name that says nothing", one("pkg/utils/a.go", "// Package utils is an example.\npackage utils\n"), []string{"pkg/utils/a.go:2 arrows"}},
	})
}

func TestImportsOfOthers(t *testing.T) {
	t.Parallel()
	const pgx, river, kit = "github.com/jackc/pgx/v5", "github.com/riverqueue/river", "github.com/go-kit/kit/"
	run(t, []testCase{
		{"pgx is for postgres.go", map[string]string{
			"payments/ledger/service.go": imp(pgx), "payments/ledger/postgres.go": imp(pgx), "payments/ledger/postgres_lane.go": imp(pgx),
			"pkg/rest/limit.go": imp("github.com/jackc/pgerrcode"), "pkg/telemetry/pool.go": imp(pgx), "pkg/telemetry/log.go": imp(pgx),
			"web/postgres.go": imp(pgx), "adapters/bank/postgres.go": imp(pgx), "pkg/pg/tx.go": imp(pgx), "marketplace/orders/a_test.go": imp(pgx),
		}, []string{"adapters/bank/postgres.go:2 pgx", "payments/ledger/service.go:2 pgx", "pkg/rest/limit.go:2 pgx", "pkg/telemetry/log.go:2 pgx", "web/postgres.go:2 pgx"}},
		{"database/sql is for migrations", map[string]string{"payments/ledger/postgres.go": imp("database/sql"), "migrations/a.go": imp("database/sql")}, []string{"payments/ledger/postgres.go:2 pgx"}},
		{"net/http is for the edge, drivers and commands", map[string]string{
			"marketplace/orders/service.go": imp("net/http"), "marketplace/orders/http.go": imp("net/http"), "marketplace/orders/a_test.go": imp("net/http/httptest"),
			"adapters/bank/bank.go": imp("net/http"), "adapters/card/nestpay/api.go": imp("net/http"), "pkg/pgserver/fetch.go": imp("net/http/httputil"), "pkg/rest/a.go": imp("net/http"),
		}, []string{"adapters/bank/bank.go:2 net/http", "marketplace/orders/service.go:2 net/http", "pkg/pgserver/fetch.go:2 net/http"}},
		{
			"of go-kit only two packages, in rest",
			map[string]string{"pkg/rest/a.go": imp(kit+"endpoint", kit+"transport/http"), "pkg/rest/b.go": imp(kit + "log"), "marketplace/orders/http.go": imp(kit + "endpoint")},
			[]string{"marketplace/orders/http.go:2 go-kit", "pkg/rest/b.go:2 go-kit"},
		},
		{
			"river is for jobs.go",
			map[string]string{"payments/escrow/jobs.go": imp(river), "payments/escrow/service.go": imp(river), "payments/ledger/jobs.go": imp(river + "/rivertype"), "pkg/event/a.go": imp(river)},
			[]string{"payments/escrow/service.go:2 river", "payments/ledger/jobs.go:2 river"},
		},
		{
			"test libraries are for tests",
			map[string]string{"pkg/money/a.go": imp("testing"), "pkg/money/a_test.go": imp("testing"), "pkg/pgtest/a.go": imp("testing"), "adapters/bank/bankconform/a.go": imp("testing")},
			[]string{"pkg/money/a.go:2 fence"},
		},
		{"libraries stay behind their package", map[string]string{
			"marketplace/orders/a.go": imp("github.com/cedar-policy/cedar-go", "github.com/sony/gobreaker/v2", "github.com/swaggest/openapi-go", "github.com/alecthomas/kong"),
			"payments/escrow/a.go":    imp("github.com/hashicorp/go-retryablehttp", "github.com/fergusstrange/embedded-postgres", "github.com/pressly/goose/v3", "github.com/meilisearch/meilisearch-go"),
			"cmd/hub/a_test.go":       imp("github.com/santhosh-tekuri/jsonschema/v6"),
			"pkg/telemetry/a.go":      imp("go.opentelemetry.io/otel/exporters/otlp", "github.com/Shopify/toxiproxy/v2"),
		}, append(lines("marketplace/orders/a.go", "fence", 2, 5), append(lines("payments/escrow/a.go", "fence", 2, 5), lines("pkg/telemetry/a.go", "fence", 2, 3)...)...)},
	})
}

func lines(file, rule string, from, to int) (out []string) {
	for n := from; n <= to; n++ {
		out = append(out, fmt.Sprintf("%s:%d %s", file, n, rule))
	}
	return out
}

func TestSQL(t *testing.T) {
	t.Parallel()
	constant := func(sql string) string { return "\nconst query = `" + sql + "`\n" }
	run(t, []testCase{
		{"a domain names its own tables", map[string]string{"marketplace/orders/postgres.go": constant("select id from orders.line where at < platform.now()")}, nil},
		{"and no other's", map[string]string{"marketplace/orders/postgres.go": constant("select id\n\tfrom orders.line l\n\tjoin ledger.entry e using (id)")}, []string{"marketplace/orders/postgres.go:5 sql"}},
		{"nor the platform's", map[string]string{"marketplace/orders/postgres_b.go": constant("delete from platform.timer")}, []string{"marketplace/orders/postgres_b.go:3 sql"}},
		{"nor by pgx.Identifier", map[string]string{"marketplace/orders/postgres.go": "import \"github.com/jackc/pgx/v5\"\n\nvar entries = pgx.Identifier{\"ledger\", \"entry\"}\nvar own = pgx.Identifier{\"orders\", \"line\"}\n"}, []string{"marketplace/orders/postgres.go:4 sql"}},
		{"the platform names the platform's", map[string]string{"pkg/job/postgres.go": constant("delete from platform.timer"), "pkg/job/b.go": constant("update river.river_job set state = 'available'")}, nil},
		{"only pkg/job names River's", map[string]string{"payments/escrow/postgres.go": constant("select id from river.river_job")}, []string{"payments/escrow/postgres.go:3 sql"}},
		{"SQL lives in postgres.go", map[string]string{"payments/ledger/service.go": constant("select id from ledger.entry")}, []string{"payments/ledger/service.go:3 sql"}},
		{"a comment names anything", map[string]string{"payments/ledger/postgres.go": constant("select id -- not from orders.line\n from ledger.entry")}, nil},
		{"a sentence is no SQL", map[string]string{"payments/ledger/service.go": "\nconst event, text = \"orders.line\", \"the orders.line event\"\n"}, nil},
		{"the auditor reads everything", map[string]string{
			"payments/invariants/postgres.go": constant("select id from orders.line join ledger.entry using (id) join platform.timer t on t.kind = id"),
			"payments/invariants/promises.go": constant("select id from river.river_job where created_at < now()"),
		}, nil},
		{"and changes nothing", map[string]string{"payments/invariants/postgres.go": constant("update ledger.entry set id = ''")}, []string{"payments/invariants/postgres.go:3 sql"}},
		{"but what it found", map[string]string{
			"migrations/00051_invariants.sql": "create schema invariants;\ncreate table invariants.look (at timestamptz);\n",
			"payments/invariants/postgres.go": constant("update invariants.look set at = null"),
		}, nil},
		{"a domain has the hub's time", map[string]string{
			"payments/ledger/postgres.go":    constant("select id from ledger.entry\n where at < now()"),
			"marketplace/orders/postgres.go": constant("select current_date from orders.line"),
		}, []string{"marketplace/orders/postgres.go:3 sql", "payments/ledger/postgres.go:4 sql"}},
		{"tests break books by hand", map[string]string{"payments/invariants/a_test.go": constant("delete from ledger.entry")}, nil},
	})
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	run(t, []testCase{
		{"a schema belongs to a package", map[string]string{"migrations/00090_gifts.sql": "\ncreate schema gifts;\ncreate table gifts.card (id text);\n"}, []string{"migrations/00090_gifts.sql:2 schemas"}},
		{"to one", map[string]string{"payments/orders/a.go": "// Package orders is an example.\npackage orders\n"}, []string{"migrations/00030_orders.sql:2 schemas"}},
		{"a table has a schema", map[string]string{"migrations/00090_more.sql": "create table stray (id text);\n"}, []string{"migrations/00090_more.sql:1 schemas"}},
		{"no key into another schema", map[string]string{"migrations/00090_more.sql": "alter table orders.line add entry text\n  references ledger.entry;\n"}, []string{"migrations/00090_more.sql:2 schemas"}},
		{"comments and the way down count for nothing", map[string]string{"migrations/00090_more.sql": "alter table orders.line add note text; -- not of ledger.entry\n-- +goose Down\ndrop table ledger.entry;\n"}, nil},
	})
}

func TestSource(t *testing.T) {
	t.Parallel()
	clock := "import \"time\"\n\nvar start = time.Now()\nvar took = time.Since(start)\n"
	client := "import \"net/http\"\n\nvar a = http.DefaultClient\nvar b, c = http.Get(\"/\")\nvar d = http.NewServeMux()\n"
	long := strings.Repeat("//\n", 500)
	tx := "import (\n\t\"context\"\n\t\"tiwiza/pkg/pg\"\n)\n"
	run(t, []testCase{
		{"the machine's time decides nothing", map[string]string{"payments/escrow/a.go": clock, "payments/escrow/a_test.go": clock, "pkg/rest/a.go": clock}, []string{"payments/escrow/a.go:4 clock", "payments/escrow/a.go:5 clock"}},
		{"nor by another name", map[string]string{"payments/escrow/a.go": "import clock \"time\"\n\nvar start = clock.Now()\n"}, []string{"payments/escrow/a.go:4 clock"}},
		{
			"no float near money",
			map[string]string{"pkg/money/a.go": "\nvar a float64\nvar b = 1.5\nvar c = d.InexactFloat64()\n", "payments/ledger/a.go": "\nfunc rate(x float32) {}\n", "search/a.go": "\nvar a float64\n"},
			[]string{"payments/ledger/a.go:3 float", "pkg/money/a.go:3 float", "pkg/money/a.go:4 float", "pkg/money/a.go:5 float"},
		},
		{"no client without a deadline", map[string]string{"adapters/card/nestpay/a.go": client, "adapters/card/nestpay/a_test.go": client}, []string{"adapters/card/nestpay/a.go:4 client", "adapters/card/nestpay/a.go:5 client"}},
		{"a file is at most 500 lines", map[string]string{"pkg/money/a.go": long, "pkg/money/a_test.go": long, "pkg/money/b.go": "// Code generated by an example. DO NOT EDIT.\n\npackage money\n" + long}, []string{"pkg/money/a.go:501 length"}},
		{
			"workers go through job.Handle",
			map[string]string{"payments/escrow/jobs.go": "import \"github.com/riverqueue/river\"\n\ntype work struct{ river.WorkerDefaults[args] }\n\nvar opts = river.InsertOpts{}\n\nfunc init() { river.AddWorker(nil, nil) }\n"},
			[]string{"payments/escrow/jobs.go:4 worker", "payments/escrow/jobs.go:8 worker"},
		},
		{"units of work do not nest", map[string]string{
			"payments/escrow/a.go": tx + "\nfunc step(ctx context.Context, tx *pg.Tx) { db.InTx(ctx, nil) }\n\nfunc use(ctx context.Context) {\n\tdb.InTx(ctx, func(tx *pg.Tx) error {\n\t\treturn db.InTx(ctx, nil)\n\t})\n}\n",
		}, []string{"payments/escrow/a.go:7 nesting", "payments/escrow/a.go:11 nesting"}},
	})
}

func TestComments(t *testing.T) {
	t.Parallel()
	run(t, []testCase{
		{"every exported name says what it is", map[string]string{"pkg/money/a.go": `
func Bare() {}

// It does something.
func Wrong() {}

// Right does something.
func Right() {}

type T struct{}

// A U is a thing.
type U struct{}

func (U) Bare() {}

func (*hidden) Fine() {}

type hidden struct{}

const A = 1

// The sizes.
const (
	B = 1
	C = 2
)

const (
	D = 1 // a size
	E = 2
)

var F, g = 1, 2
`}, []string{"pkg/money/a.go:3 comment", "pkg/money/a.go:6 comment", "pkg/money/a.go:11 comment", "pkg/money/a.go:16 comment", "pkg/money/a.go:22 comment", "pkg/money/a.go:32 comment", "pkg/money/a.go:35 comment"}},
		{"every package says what it is for", map[string]string{"pkg/clock/a.go": "package clock\n"}, []string{"pkg/clock/a.go:1 comment"}},
	})
}

func TestViolationNamesWhereWhichAndWhatToDo(t *testing.T) {
	t.Parallel()
	var got []string
	for _, v := range house(t, map[string]string{
		"payments/escrow/a.go":   imp("tiwiza/marketplace/orders"),
		"payments/vouchers/a.go": "// Package vouchers is an example.\npackage vouchers\nimport _ \"tiwiza/payments/ledger\"\n",
	}).Check() {
		got = append(got, v.String())
	}
	want := []string{
		"payments/escrow/a.go:2: arrows: payments/escrow must not import marketplace/orders; payments never know the trade: tell by event what it must hear; drivers are named in cmd/hub only",
		"payments/vouchers/a.go:3: arrows: payments/vouchers must not import payments/ledger; vouchers has no place among its siblings; give it one in pkg/arch",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}

func TestUnreadableSourceIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := arch.New(map[string]string{"pkg/money/a.go": "package"}); err == nil {
		t.Error("got no error for a file that is no Go")
	}
}
