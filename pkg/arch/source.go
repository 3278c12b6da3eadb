package arch

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// machine are the packages that may read the machine's clock, because what
// they measure is the machine's: how long a call took, when a lock has been
// waited for too long. Everything else has the hub's time, from tx.Now() or
// pkg/clock, which demonstrations move and all hubs share.
var machine = map[string]string{
	"cmd/...":                "commands tell people how long things took; the stand-ins keep a clock of their own",
	"pkg/id":                 "an id begins with the moment it was made, for order only",
	"pkg/telemetry":          "durations",
	"pkg/outbound":           "deadlines and pauses of calls to partners",
	"pkg/rest":               "durations and rate limits",
	"pkg/pgserver":           "patience with a process that starts or stops",
	"pkg/pgtest":             "patience with the tests' server",
	"pkg/job":                "River's jobs are due by the machine's clock, so that moving time does not stampede",
	"pkg/pg":                 "pauses between attempts, and patience with a commit",
	"adapters/bank/iso20022": "how long ago a bank's server wrote a file that is still being written",
	"search/pgsearch":        "the age of counted facets",
	auditor:                  "how long a promise took to prove, and the age of the last report",
}

// clocks keeps the machine's time out of what the hub decides.
func clocks(h House) (out []Violation) {
	for _, f := range h.files {
		if f.test || support(f.dir()) || within(f.dir(), slices.Collect(maps.Keys(machine))...) {
			continue
		}
		f.uses("time", func(s *ast.SelectorExpr) {
			if slices.Contains([]string{"Now", "Since", "Until"}, s.Sel.Name) {
				out = append(out, f.breaks(s, "clock", "time.%s is the machine's time; take the hub's as an argument, from tx.Now() or clock.Now", s.Sel.Name))
			}
		})
	}
	return out
}

// floats keeps binary fractions out of money.
func floats(h House) (out []Violation) {
	const fix = "money is centimes or money.Money, percentages are decimals"
	for _, f := range h.files {
		if f.test || !within(f.dir(), "pkg/money", "payments/...") {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if n.Name == "float64" || n.Name == "float32" {
					out = append(out, f.breaks(n, "float", "%s near money; %s", n.Name, fix))
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					out = append(out, f.breaks(n, "float", "%s is a binary fraction; %s", n.Value, fix))
				}
			case *ast.SelectorExpr:
				if strings.Contains(n.Sel.Name, "Float") {
					out = append(out, f.breaks(n.Sel, "float", "%s near money; %s", n.Sel.Name, fix))
				}
			}
			return true
		})
	}
	return out
}

// impatient are the parts of net/http that have no deadline, or share a
// global.
var impatient = []string{
	"DefaultClient", "DefaultTransport", "DefaultServeMux", "Get", "Head", "Post", "PostForm",
	"Handle", "HandleFunc", "ListenAndServe", "ListenAndServeTLS", "Serve", "ServeTLS",
}

// clients keeps calls and servers without deadlines out.
func clients(h House) (out []Violation) {
	for _, f := range h.files {
		if f.test || support(f.dir()) {
			continue
		}
		f.uses("net/http", func(s *ast.SelectorExpr) {
			if slices.Contains(impatient, s.Sel.Name) {
				out = append(out, f.breaks(s, "client", "http.%s has no deadline or is shared by all; call through pkg/outbound, or make a client, mux or server with its own times", s.Sel.Name))
			}
		})
	}
	return out
}

// longest is how many lines a file may have; past about 300 it is time to
// think of splitting it by noun.
const longest = 500

func lengths(h House) (out []Violation) {
	for _, f := range h.files {
		if n := strings.Count(f.source, "\n"); n > longest && !f.test && !ast.IsGenerated(f.tree) {
			out = append(out, Violation{f.name, n, "length", "the file is longer than 500 lines; split it by noun"})
		}
	}
	return out
}

// workers sees that River's workers are made by job.Handle alone, which gives
// them their principal, their deadline and their back-off.
func workers(h House) (out []Violation) {
	for _, f := range h.files {
		if within(f.dir(), "pkg/job") {
			continue
		}
		f.uses(riverPath, func(s *ast.SelectorExpr) {
			for _, part := range []string{"Worker", "NewClient", "WorkFunc", "ClientFromContext"} {
				if strings.Contains(s.Sel.Name, part) {
					out = append(out, f.breaks(s, "worker", "river.%s goes past pkg/job; register with job.Handle and queue with tx.Enqueue", s.Sel.Name))
					return
				}
			}
		})
	}
	return out
}

// nesting sees that nothing given a unit of work opens another: it would wait
// for its own locks, and half of it would stay when the other half fails.
func nesting(h House) (out []Violation) {
	for _, f := range h.files {
		pg := f.names(Module + "/pkg/pg")
		if f.dir() == "pkg/pg" {
			pg = "."
		}
		if pg == "" || f.test {
			continue
		}
		var inside func(n ast.Node, tx bool)
		inside = func(n ast.Node, tx bool) {
			ast.Inspect(n, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Body != nil {
						inside(n.Body, takesTx(n.Type, pg))
					}
					return false
				case *ast.FuncLit:
					inside(n.Body, tx || takesTx(n.Type, pg))
					return false
				case *ast.CallExpr:
					if s, ok := n.Fun.(*ast.SelectorExpr); ok && tx && s.Sel.Name == "InTx" {
						out = append(out, f.breaks(s.Sel, "nesting", "InTx where a tx is at hand; use the tx, or do it before or after the unit of work"))
					}
				}
				return true
			})
		}
		inside(f.tree, false)
	}
	return out
}

// takesTx says whether a function has a *pg.Tx among its parameters.
func takesTx(t *ast.FuncType, pg string) bool {
	return slices.ContainsFunc(t.Params.List, func(p *ast.Field) bool {
		star, ok := p.Type.(*ast.StarExpr)
		if !ok {
			return false
		}
		switch x := star.X.(type) {
		case *ast.Ident:
			return pg == "." && x.Name == "Tx"
		case *ast.SelectorExpr:
			id, ok := x.X.(*ast.Ident)
			return ok && id.Name == pg && x.Sel.Name == "Tx"
		}
		return false
	})
}
