package arch

import (
	"path"
	"slices"
	"strings"
)

// A room is one row of the design's arrows: what the packages there may import
// of the module. "own" stands for the room's own folder.
type room struct {
	at    string
	reach []string
	tests []string // what its tests may import besides
	why   string
}

// rooms are asked in order; the first that holds a package decides.
var rooms = []room{
	{
		at: "cmd/hubsim/...", reach: []string{"own", "pkg/money", "pkg/id", "pkg/telemetry"},
		why: "the stand-in partners share no code with the hub, or both would be wrong in the same way; write it anew under cmd/hubsim",
	},
	{at: "cmd/*/...", reach: []string{"*/..."}},
	{
		at: "web/...", reach: []string{"own", "web/...", "marketplace/*", "payments/*", "search", "pkg/..."}, tests: []string{"*/..."},
		why: "pages call services, never drivers or SQL; let cmd/hub pass in what the page needs",
	},
	{
		at: "marketplace/*/...", reach: []string{"own", "payments/*", "search", "adapters/bank", "adapters/insurance", "adapters/crm", "adapters/notify", "pkg/..."},
		tests: []string{"adapters/...", "search/..."},
		why:   "the trade reaches payments, search and its own ports; drivers are named in cmd/hub only",
	},
	{
		at: "payments/*/...", reach: []string{"own", "adapters/card", "adapters/bank", "adapters/wallet", "pkg/..."},
		tests: []string{"adapters/..."},
		why:   "payments never know the trade: tell by event what it must hear; drivers are named in cmd/hub only",
	},
	{
		at: "adapters/remote/...", reach: []string{"own", "adapters/*", "pkg/..."},
		tests: []string{"adapters/*/*"},
		why:   "the remote driver speaks for ports, not for other drivers",
	},
	{
		at: "adapters/*/*/...", reach: []string{"own", "port", "pkg/..."},
		why: "a driver knows its own port and no other; what two drivers share belongs in pkg",
	},
	{at: "adapters/*", reach: []string{"pkg/..."}, tests: []string{"own/..."}, why: "a port knows none of its drivers and no other port"},
	{at: "search/*/...", reach: []string{"own", "search", "pkg/..."}, tests: []string{"search/..."}, why: "a driver of search knows search and no domain"},
	{at: "search", reach: []string{"pkg/..."}, tests: []string{"search/..."}, why: "search knows neither its drivers nor what is searched"},
	{at: "pkg/pgtest", reach: []string{"pkg/...", "migrations"}, why: "it makes databases, and needs no domain for that"},
	{at: "pkg/job", reach: []string{"pkg/...", "migrations"}, why: "it takes the name of River's schema from migrations, and no more"},
	{at: "pkg/*/...", reach: []string{"pkg/..."}, tests: []string{"migrations"}, why: "the platform knows no domain: take an interface, or a function, from whoever calls"},
	{at: "docs/partner", why: "it holds documents, which only commands carry along"},
	{at: "migrations", why: "migrations are SQL and the library that applies it"},
}

// siblings of one floor, in the order of an order's life: a later one may
// import an earlier one, and the way back is an event.
var siblings = map[string][]string{
	"marketplace": {"media", "accords", "members", "enrolment", "charter", "catalog", "directory", "digital", "delivery", "promotions", "agreements", "pricing", "orders", "quotations", "groupbuys", "pools", "procedures", "projects", "sharing", "diagnosis", "finance", "policies", "loyalty", "insight", "notices", "relations", "privacy"},
	"payments":    {"approvals", "ledger", "operations", "files", "connectors", "limits", "escrow", "charges", "disputes", "premiums", "dues", "payouts", "treasury", "recon", "invariants", "sim"},
}

// closed are packages of the platform that few may use.
var closed = []struct {
	pkg  string
	open []string
	fix  string
}{
	{"pkg/pgserver", []string{"cmd/...", "pkg/pgtest", "pkg/pgserver"}, "only commands and pkg/pgtest start servers"},
	{"pkg/pg", []string{"cmd/*/...", "marketplace/...", "payments/...", "search/...", "pkg/..."}, "pages and drivers know no database; call a service"},
}

// empty are names that say nothing of what is inside.
var empty = []string{"util", "utils", "common", "base", "impl", "helper", "helpers", "models", "types", "shared", "misc"}

// arrows checks which package imports which.
func arrows(h House) (out []Violation) {
	seen := map[string]bool{}
	for _, f := range h.files {
		dir := f.dir()
		r, ok := roomOf(dir)
		if !seen[dir] {
			seen[dir] = true
			switch {
			case !ok:
				out = append(out, f.breaks(f.tree.Name, "arrows", "package %s has no room in the design; put it into one, or give it a row in pkg/arch with its reason", dir))
			case slices.Contains(empty, path.Base(dir)):
				out = append(out, f.breaks(f.tree.Name, "arrows", "the name %s says nothing of what is inside; name it for what it gives", path.Base(dir)))
			}
		}
		if !ok {
			continue
		}
		for spec, p := range f.imported {
			to, ours := strings.CutPrefix(p, Module+"/")
			if !ours {
				continue
			}
			if fix := refused(r, f, to); fix != "" {
				out = append(out, f.breaks(spec, "arrows", "%s must not import %s; %s", dir, to, fix))
			}
		}
	}
	return out
}

func roomOf(pkg string) (room, bool) {
	i := slices.IndexFunc(rooms, func(r room) bool { return within(pkg, r.at) })
	if i < 0 {
		return room{}, false
	}
	return rooms[i], true
}

// refused says why the file must not import a package of the module, or "".
func refused(r room, f file, to string) string {
	from := f.dir()
	testing := f.test || support(from)
	if support(to) && !testing && !(conformance(to) && within(from, "cmd/*/...")) {
		return "it serves tests only"
	}
	for _, c := range closed {
		if to == c.pkg && !testing && !within(from, c.open...) {
			return c.fix
		}
	}
	if floor, ok := siblings[top(from)]; ok && top(to) == top(from) && second(to) != second(from) {
		return late(floor, second(from), second(to))
	}
	if testing && to == suite(from) {
		return ""
	}
	reach := r.reach
	if testing {
		reach = slices.Concat(reach, r.tests)
	}
	for _, p := range reach {
		if within(to, resolve(p, from)) {
			return ""
		}
	}
	return r.why
}

// resolve fills in what stands for the importing package's own place.
func resolve(pattern, from string) string {
	steps := strings.Split(from, "/")
	own := strings.Join(steps[:min(2, len(steps))], "/")
	if within(from, "adapters/*/*/...", "search/*/...") && len(steps) > 2 {
		own = strings.Join(steps[:3], "/")
	}
	switch pattern {
	case "own", "own/...":
		return own + "/..."
	case "port":
		return strings.Join(steps[:2], "/")
	}
	return pattern
}

// suite is the conformance suite that a driver must pass.
func suite(driver string) string {
	port := path.Dir(driver)
	return port + "/" + path.Base(port) + "conform"
}

// late says why one sibling must not import another, or "".
func late(floor []string, from, to string) string {
	a, b := slices.Index(floor, from), slices.Index(floor, to)
	switch {
	case a < 0:
		return from + " has no place among its siblings; give it one in pkg/arch"
	case b < 0:
		return to + " has no place among its siblings; give it one in pkg/arch"
	case b > a:
		return to + " comes later in the life of an order; publish an event that it hears"
	}
	return ""
}

func top(pkg string) string { first, _, _ := strings.Cut(pkg, "/"); return first }

func second(pkg string) string {
	_, rest, _ := strings.Cut(pkg, "/")
	return top(rest)
}
