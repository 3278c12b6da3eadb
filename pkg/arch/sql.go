package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A migration is one SQL file without its comments.
type migration struct {
	name, text string
}

var (
	sqlComment = regexp.MustCompile(`--[^\n]*`)
	sqlSchema  = regexp.MustCompile(`(?i)\bcreate\s+schema\s+(?:if\s+not\s+exists\s+)?([a-z_]+)`)
	sqlTable   = regexp.MustCompile(`(?i)\bcreate\s+(?:unlogged\s+)?(?:table|sequence|(?:materialized\s+|or\s+replace\s+)*view)\s+(?:if\s+not\s+exists\s+)?([a-z_]+)\.([a-z_0-9]+)`)
	sqlMakes   = regexp.MustCompile(`(?i)\b(?:create|alter)\s+(?:or\s+replace\s+|unlogged\s+|materialized\s+)*(?:table|sequence|view|function|type)\s+(?:if\s+(?:not\s+)?exists\s+)?(?:only\s+)?([a-z_]+)(\.?)`)
	sqlIndexes = regexp.MustCompile(`(?i)\bcreate\s+(?:unique\s+)?index\b[^;]*?\bon\s+(?:only\s+)?([a-z_]+)\.`)
	sqlName    = regexp.MustCompile(`(?i)\b([a-z_]+)"?\s*\.\s*"?([a-z_0-9]+)`)
	sqlVerb    = regexp.MustCompile(`(?i)\b(?:select|insert|update|delete|from|join|into|using|truncate|with|merge|call)\b`)
	sqlWrites  = regexp.MustCompile(`(?i)\b(?:insert\s+into|delete\s+from|truncate)\b|\bupdate\s+(?:only\s+)?[a-z_]+\.`)
	sqlNow     = regexp.MustCompile(`(?i)(^|[^.\w])(?:now\(\)|current_timestamp|current_date|localtimestamp|clock_timestamp\(\)|transaction_timestamp\(\))`)
)

// newMigration drops the comments and the way down, and keeps the lines.
func newMigration(name, src string) migration {
	up, _, _ := strings.Cut(src, "-- +goose Down")
	return migration{name, sqlComment.ReplaceAllString(up, "")}
}

// declare adds the schemas and tables it makes.
func (m migration) declare(schemas map[string]map[string]bool) {
	for _, s := range sqlSchema.FindAllStringSubmatch(m.text, -1) {
		if schemas[s[1]] == nil {
			schemas[s[1]] = map[string]bool{}
		}
	}
	for _, t := range sqlTable.FindAllStringSubmatch(m.text, -1) {
		if schemas[t[1]] == nil {
			schemas[t[1]] = map[string]bool{}
		}
		schemas[t[1]][t[2]] = true
	}
}

// breaks makes a violation at a place in the text.
func (m migration) breaks(at int, format string, args ...any) Violation {
	return Violation{m.name, 1 + strings.Count(m.text[:at], "\n"), "schemas", fmt.Sprintf(format, args...)}
}

// platform are the packages that share the schema platform.
var platform = []string{"pkg/pg", "pkg/clock", "pkg/job", "pkg/event", "pkg/audit", "pkg/rest", "pkg/webhook", "pkg/lanes"}

// auditor reads every domain's tables, because it proves them against each
// other; it changes none but its own, where it keeps what it found.
const auditor = "payments/invariants"

// lent are single tables that a package uses besides those of its schema.
var lent = map[string]string{
	"platform.note": "cmd/hub",        // what the hub noted of its own setting up
	"payouts.file":  "payments/files", // made when only payouts left in files
	// The index is pgsearch's; what the operator sees of it is every engine's.
	"search.synonyms": "search", "search.asked": "search",
	"search.push": "search/meili", "search.push_seq": "search/meili", "search.engine": "search/meili", "search.document": "search/meili",
}

// names says whether a package may name a table.
func names(pkg, schema, table string) bool {
	return owns(pkg, schema) || lent[schema+"."+table] == pkg
}

// owns says whether the tables of a schema are a package's own.
func owns(pkg, schema string) bool {
	switch {
	case pkg == auditor:
		return true
	case schema == "platform":
		return within(pkg, platform...)
	case schema == "river":
		return within(pkg, "pkg/job", "pkg/event", "migrations") // an event is told by a job
	case schema == "search":
		return pkg == "search/pgsearch"
	}
	return path.Base(pkg) == schema && within(pkg, "marketplace/*", "payments/*")
}

// sqls checks the SQL in Go files: where it stands, whose tables it names, and
// whose time it reads. Tests may break into any table.
func sqls(h House) (out []Violation) {
	for _, f := range h.files {
		if f.test || support(f.dir()) {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.BasicLit:
				out = append(out, h.literal(f, n)...)
			case *ast.CompositeLit:
				if schema, table := identifier(n); h.schemas[schema][table] && !names(f.dir(), schema, table) {
					out = append(out, f.breaks(n, "sql", notYours, schema, table, f.dir()))
				}
			}
			return true
		})
	}
	return out
}

const notYours = "%s.%s is not a table of %s; ask the package that owns it, or hear of it by event"

// literal checks one string.
func (h House) literal(f file, lit *ast.BasicLit) (out []Violation) {
	if lit.Kind != token.STRING {
		return nil
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil || !strings.ContainsAny(text, " \n\t") || !sqlVerb.MatchString(text) {
		return nil // a name or a sentence
	}
	text = sqlComment.ReplaceAllString(text, "")
	found := func(at int, format string, args ...any) {
		v := f.breaks(lit, "sql", format, args...)
		if lit.Value[0] == '`' { // it has the file's own lines
			v.Line += strings.Count(text[:at], "\n")
		}
		out = append(out, v)
	}
	tables, river, others := 0, false, false
	for _, m := range sqlName.FindAllStringSubmatchIndex(text, -1) {
		schema, table := strings.ToLower(text[m[2]:m[3]]), strings.ToLower(text[m[4]:m[5]])
		if !h.schemas[schema][table] && (schema != "river" || !strings.HasPrefix(table, "river_")) {
			continue
		}
		tables, river = tables+1, river || schema == "river"
		others = others || schema != path.Base(f.dir())
		if !names(f.dir(), schema, table) {
			found(m[0], notYours, schema, table, f.dir())
		}
	}
	if tables == 0 {
		return out
	}
	domain := within(f.dir(), "marketplace/...", "payments/...", "search/...", "adapters/...", "web/...", "cmd/...")
	if domain && !f.role("postgres") && f.dir() != auditor { // the auditor's promises are queries
		found(0, "SQL outside postgres.go; move it there, behind a function named for what it does")
	}
	if at := sqlWrites.FindStringIndex(text); f.dir() == auditor && others && at != nil {
		found(at[0], "the auditor only reads; leave the change to the package that owns the table")
	}
	if at := sqlNow.FindStringIndex(text); domain && !river && at != nil { // River's jobs have the server's time
		found(at[0], "the server's own time does not follow the demonstration clock; pass tx.Now() or call platform.now()")
	}
	return out
}

// identifier reads pgx.Identifier{"schema", "table"}.
func identifier(c *ast.CompositeLit) (schema, table string) {
	s, ok := c.Type.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "Identifier" || len(c.Elts) != 2 {
		return "", ""
	}
	var parts [2]string
	for i, e := range c.Elts {
		if lit, ok := e.(*ast.BasicLit); ok {
			parts[i], _ = strconv.Unquote(lit.Value)
		}
	}
	return parts[0], parts[1]
}

// schemas checks the migrations: each schema belongs to one package, each file
// changes one schema, and no table leans on another schema's.
func schemas(h House) (out []Violation) {
	packages := map[string]bool{}
	for _, f := range h.files {
		packages[f.dir()] = true
	}
	for _, m := range h.migrations {
		for _, s := range sqlSchema.FindAllStringSubmatchIndex(m.text, -1) {
			name := m.text[s[2]:s[3]]
			var owners []string
			for p := range packages {
				if owns(p, name) && (p != auditor || path.Base(p) == name) {
					owners = append(owners, p)
				}
			}
			slices.Sort(owners)
			switch {
			case len(owners) == 0:
				out = append(out, m.breaks(s[0], "schema %s belongs to no package; name it for the package whose tables it holds", name))
			case len(owners) > 1 && name != "platform":
				out = append(out, m.breaks(s[0], "schema %s belongs to %s; rename one of these packages", name, strings.Join(owners, " and ")))
			}
		}
		out = append(out, m.stays(h.schemas)...)
	}
	return out
}

// stays checks that the file names no schema but its own, which is the first
// it makes or changes something in.
func (m migration) stays(schemas map[string]map[string]bool) (out []Violation) {
	own := ""
	if s := sqlSchema.FindStringSubmatch(m.text); s != nil {
		own = s[1]
	}
	for _, s := range sqlMakes.FindAllStringSubmatchIndex(m.text, -1) {
		name := m.text[s[2]:s[3]]
		switch {
		case s[4] == s[5]:
			out = append(out, m.breaks(s[0], "%s is made in no schema; write schema.%s", name, name))
		case own == "":
			own = name
		}
	}
	if s := sqlIndexes.FindStringSubmatch(m.text); own == "" && s != nil { // it makes nothing else
		own = s[1]
	}
	for _, s := range sqlName.FindAllStringSubmatchIndex(m.text, -1) {
		schema, table := m.text[s[2]:s[3]], m.text[s[4]:s[5]]
		if schema != own && schemas[schema][table] {
			out = append(out, m.breaks(s[0], "%s.%s is of another schema than %s, which this file changes; keep the id without a foreign key, and change each schema in a file of its own", schema, table, own))
		}
	}
	return out
}
