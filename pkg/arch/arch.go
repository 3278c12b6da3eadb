// Package arch keeps the house in order: it reads every Go file and migration
// of the module and says which rule of the design a line breaks, and what to
// do instead. Its test is part of make check; nothing that ships imports it.
package arch

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Module is the name of the module, and so how its own import paths begin.
const Module = "tiwiza"

// A Violation is one line that breaks one rule.
type Violation struct {
	File string // from the top of the module
	Line int
	Rule string // "arrows", "sql" …
	Text string // what is wrong, and what to do
}

// String is the violation as compilers print theirs.
func (v Violation) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", v.File, v.Line, v.Rule, v.Text)
}

// A House is the module's source.
type House struct {
	files      []file
	migrations []migration
	schemas    map[string]map[string]bool // schema → its tables and sequences
}

// A file is one Go file, read.
type file struct {
	name   string // "payments/ledger/postgres.go"
	test   bool   // it ends in _test.go
	tree   *ast.File
	set    *token.FileSet
	source string
}

// New reads a module from its files: names from its top, and what is in them.
// Anything but Go files and migrations/*.sql is passed over.
func New(sources map[string]string) (House, error) {
	h := House{schemas: map[string]map[string]bool{}}
	for name, src := range sources {
		switch {
		case path.Ext(name) == ".go":
			f := file{name: name, set: token.NewFileSet(), source: src}
			tree, err := parser.ParseFile(f.set, name, src, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return House{}, fmt.Errorf("read the module: %w", err)
			}
			f.tree, f.test = tree, strings.HasSuffix(name, "_test.go")
			h.files = append(h.files, f)
		case path.Dir(name) == "migrations" && path.Ext(name) == ".sql":
			m := newMigration(name, src)
			m.declare(h.schemas)
			h.migrations = append(h.migrations, m)
		}
	}
	slices.SortFunc(h.files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	slices.SortFunc(h.migrations, func(a, b migration) int { return cmp.Compare(a.name, b.name) })
	return h, nil
}

// Check applies every rule and returns what breaks one, by file and line.
func (h House) Check() []Violation {
	var out []Violation
	for _, rule := range []func(House) []Violation{
		arrows, imports, sqls, schemas, clocks, floats, clients, lengths, workers, nesting, comments,
	} {
		out = append(out, rule(h)...)
	}
	slices.SortFunc(out, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return out
}

// Files is how many Go files and migrations the house has.
func (h House) Files() int { return len(h.files) + len(h.migrations) }

// dir is the package a file belongs to.
func (f file) dir() string { return path.Dir(f.name) }

// base is the file's own name.
func (f file) base() string { return path.Base(f.name) }

// role says whether the file plays a role: postgres is postgres.go or
// postgres_stock.go.
func (f file) role(role string) bool {
	return f.base() == role+".go" || strings.HasPrefix(f.base(), role+"_") && !strings.HasSuffix(f.base(), "_test.go")
}

// line is where a node stands.
func (f file) line(n ast.Node) int { return f.set.Position(n.Pos()).Line }

// breaks makes a violation at a node.
func (f file) breaks(n ast.Node, rule, format string, args ...any) Violation {
	return Violation{f.name, f.line(n), rule, fmt.Sprintf(format, args...)}
}

// imported gives each import of the file with its path.
func (f file) imported(yield func(*ast.ImportSpec, string) bool) {
	for _, s := range f.tree.Imports {
		p, err := strconv.Unquote(s.Path.Value)
		if err != nil || !yield(s, p) {
			return
		}
	}
}

// names is what the file calls an import: "" when it does not import it.
func (f file) names(importPath string) string {
	for s, p := range f.imported {
		if p != importPath {
			continue
		}
		if s.Name != nil {
			return s.Name.Name
		}
		if major.MatchString(path.Base(p)) {
			p = path.Dir(p)
		}
		return path.Base(p)
	}
	return ""
}

// uses gives each place where the file speaks of a name of an import.
func (f file) uses(importPath string, yield func(*ast.SelectorExpr)) {
	as := f.names(importPath)
	if as == "" {
		return
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == as {
				yield(s)
			}
		}
		return true
	})
}

var major = regexp.MustCompile(`^v[0-9]+$`)

// within says whether a package matches one of the patterns: * is one step of
// the path, and /... at the end is whatever lies below, or nothing.
func within(pkg string, patterns ...string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		head, below := strings.CutSuffix(pattern, "/...")
		want, have := strings.Split(head, "/"), strings.Split(pkg, "/")
		if len(have) < len(want) || len(have) > len(want) && !below {
			return false
		}
		for i := range want {
			if want[i] != "*" && want[i] != have[i] {
				return false
			}
		}
		return true
	})
}

// support says whether a package only serves tests, and hub certify.
func support(pkg string) bool {
	return within(pkg, "pkg/pgtest", "pkg/arch", "pkg/outbound/netfault", "pkg/prismtest") || conformance(pkg)
}

// conformance says whether a package is the suite that every driver of a port
// must pass.
func conformance(pkg string) bool { return strings.HasSuffix(path.Base(pkg), "conform") }
