package arch

import (
	"go/ast"
	"slices"
	"strings"
)

// comments sees that every exported name says what it is, beginning with the
// name, and every package what it is for.
func comments(h House) (out []Violation) {
	first, told := map[string]file{}, map[string]bool{}
	for _, f := range h.files {
		if f.test || ast.IsGenerated(f.tree) {
			continue
		}
		if _, ok := first[f.dir()]; !ok {
			first[f.dir()] = f
		}
		told[f.dir()] = told[f.dir()] || f.tree.Doc != nil
		for _, d := range f.tree.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && reachable(d.Recv) && !begins(d.Doc, d.Name.Name) {
					out = append(out, f.undocumented(d.Name))
				}
			case *ast.GenDecl:
				out = append(out, f.declared(d)...)
			}
		}
	}
	for dir, f := range first {
		if !told[dir] {
			out = append(out, f.breaks(f.tree.Name, "comment", "package %s says nowhere what it is for; begin one file with // Package %s …", dir, f.tree.Name.Name))
		}
	}
	return out
}

// declared checks types, each by its own comment, and constants and variables,
// which may share the comment of their group.
func (f file) declared(d *ast.GenDecl) (out []Violation) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			doc := s.Doc
			if doc == nil && !d.Lparen.IsValid() {
				doc = d.Doc
			}
			if s.Name.IsExported() && !begins(doc, s.Name.Name) && s.Comment == nil {
				out = append(out, f.undocumented(s.Name))
			}
		case *ast.ValueSpec:
			if s.Doc != nil || s.Comment != nil || d.Doc != nil {
				continue
			}
			if i := slices.IndexFunc(s.Names, (*ast.Ident).IsExported); i >= 0 {
				out = append(out, f.undocumented(s.Names[i]))
			}
		}
	}
	return out
}

func (f file) undocumented(name *ast.Ident) Violation {
	return f.breaks(name, "comment", "%s is exported without a comment that begins with its name; say who may call it and what comes back", name.Name)
}

// reachable says whether callers outside can name the method's type.
func reachable(recv *ast.FieldList) bool {
	if recv == nil {
		return true
	}
	t := recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// begins says whether a comment begins with the name, or an article and it.
func begins(doc *ast.CommentGroup, name string) bool {
	words := strings.Fields(doc.Text())
	for len(words) > 0 && slices.Contains([]string{"A", "An", "The"}, words[0]) {
		words = words[1:]
	}
	return len(words) > 0 && strings.Trim(words[0], ".,:;") == name
}
