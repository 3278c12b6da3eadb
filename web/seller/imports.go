package seller

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/id"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

const importing = "/v1/imports"

// maxSheet is how large a table may be that is sent from a page; larger ones are
// sent by programs. One that is larger than soonSheet is taken in afterwards, and
// its page says how far that is.
const (
	maxSheet  = 12 << 20
	soonSheet = 256 << 10
)

// mostSaid is how many columns a table may have.
const mostSaid = 400

type importPage struct {
	at
	Key     string
	Wrongs  []ui.Wrong
	Columns []ui.Field // what must be said of the heading
	Before  []asked
}

// A takenPage is an import: what would become of a file, or what became of it.
type takenPage struct {
	at
	catalog.Report
	Key     string
	Wrongs  []ui.Wrong
	Columns []ui.Field
	Words   []ui.Field
	Over    int // parts of a hundred
	Counts  [][2]string
	Lines   []rowLine
	Next    string
}

// A rowLine is a row that is not taken in: where, in which column, and what that
// column takes.
type rowLine struct {
	Row           string
	Column, Takes string
	Detail        string // as the hub says it, in English
}

var importTones = map[catalog.ImportState]string{catalog.ImportRunning: "warn", catalog.ImportDone: "ok", catalog.ImportFailed: "bad"}

// importing is where a file is chosen.
func (d *Desk) importing(v *site.Visit, seat site.Seat) error {
	return d.chooseFile(v, seat, nil, nil)
}

func (d *Desk) chooseFile(v *site.Visit, seat site.Seat, wrong []ui.Wrong, head []ui.Field) error {
	p := importPage{at: d.at(v, seat, v.T("import.title"), "/v/produits"), Key: site.NewKey(), Wrongs: wrong, Columns: head}
	before, err := site.Get[page[catalog.Report]](v, importing+"?limit=10")
	if err != nil {
		return err
	}
	for _, r := range before.Data {
		p.Before = append(p.Before, asked{v.Href("/v/importer/" + r.ID), "file-text", ui.Said{Lang: v.Lang.Text(), Text: r.Name}, ui.Said{Lang: v.Lang.Text(), Text: importWords(v.Lang, r)}, importTones[r.State], v.T("import.s_" + string(r.State)), r.CreatedAt})
	}
	status := http.StatusOK
	if len(wrong) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return v.ShowAs(status, importView(p))
}

// importWords are what an import did, or would.
func importWords(l ui.Lang, r catalog.Report) string {
	var parts []string
	for _, c := range counts(l, r) {
		parts = append(parts, c[0]+l.T("common.colon")+c[1])
	}
	return strings.Join(parts, l.T("common.comma"))
}

// counts are how many rows were, or would be, created, changed, left as they are and
// refused; what is none is left out, but for what is created.
func counts(l ui.Lang, r catalog.Report) (out [][2]string) {
	tense := "import.did_"
	if r.DryRun {
		tense = "import.would_"
	}
	for i, n := range []int{r.Created, r.Updated, r.Unchanged, r.RejectedRows} {
		if n > 0 || i == 0 {
			out = append(out, [2]string{l.T(tense + [...]string{"create", "change", "keep", "refuse"}[i]), l.Number(int64(n))})
		}
	}
	return out
}

// imports looks a file through and says what would become of it. Nothing is taken
// in before the seller has seen that.
func (d *Desk) imports(v *site.Visit, seat site.Seat) error {
	name, _, b, err := v.File("fichier", maxSheet)
	if err == nil && len(b) == 0 {
		return d.chooseFile(v, seat, []ui.Wrong{{Name: "fichier", Text: v.T("import.wants_file")}}, nil)
	}
	var r catalog.Report
	if err == nil {
		at := importing + "?dry_run=true"
		if len(b) > soonSheet {
			at += "&background=true"
		}
		for _, said := range saidOf(v, "c_") {
			at += "&map=" + url.QueryEscape(said)
		}
		kind, form := inParts(name, b) // its bytes tell what it is, browsers guess
		r, err = site.Upload[catalog.Report](v, at, name, kind, form)
	}
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status < http.StatusInternalServerError {
		return d.chooseFile(v, seat, []ui.Wrong{{Name: "fichier", Text: v.Explain(err)}}, unknownColumns(v, f))
	}
	if err != nil {
		return err
	}
	return v.Go("/v/importer/" + r.ID)
}

// inParts is a form of one part, a file with its name, and its kind.
func inParts(name string, content []byte) (kind string, form []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if part, err := w.CreateFormFile("file", name); err == nil { // memory takes all
		_, _ = part.Write(content)
	}
	_ = w.Close()
	return w.FormDataContentType(), b.Bytes()
}

// unknownColumns are the columns of a heading that nobody knows, when some that are
// needed are missing.
func unknownColumns(v *site.Visit, f *site.Fault) (out []ui.Field) {
	if f.Code != "catalog.unreadable_file" {
		return nil
	}
	for _, e := range f.Errors {
		header := strings.TrimPrefix(e.Pointer, "/")
		if header == "" || strings.HasPrefix(header, "?") || slices.Contains(catalog.Columns(), header) || labelled(out, header) {
			continue
		}
		n := strconv.Itoa(len(out))
		out = append(out, ui.Field{Name: "c_" + n, Label: header, Options: columnOptions(v), Value: v.Field("c_" + n)})
	}
	return out
}

// labelled says whether a field is about this already.
func labelled(all []ui.Field, label string) bool {
	return slices.ContainsFunc(all, func(f ui.Field) bool { return f.Label == label })
}

// columnOptions are what a column may be.
func columnOptions(v *site.Visit) []ui.Option {
	out := []ui.Option{{Value: "", Text: v.T("import.aside")}}
	for _, c := range catalog.Columns() {
		if c != "seller_key" {
			out = append(out, ui.Option{Value: c, Text: v.T("import.col_" + c)})
		}
	}
	return out
}

// categoryOptions are what a word may mean.
func categoryOptions(v *site.Visit) []ui.Option {
	out := []ui.Option{{Value: "", Text: v.T("import.no_category")}}
	for _, k := range catalog.Categories {
		out = append(out, ui.Option{Value: k.Code, Text: v.Say(k.Names).Text})
	}
	return out
}

// saidOf reads choices of columns (c_) or of words for categories (w_) that are not
// what was chosen before; each says what it is about.
func saidOf(v *site.Visit, prefix string) (out []string) {
	for i := range mostSaid {
		n := prefix + strconv.Itoa(i)
		if about := v.Field(n + ".de"); about != "" && v.Form().Has(n) && v.Field(n) != v.Field(n+".avant") {
			out = append(out, about+"="+v.Field(n))
		}
	}
	return out
}

// imported shows what would become of a file, or what became of it.
func (d *Desk) imported(v *site.Visit, seat site.Seat) error {
	imp := v.R.PathValue("import")
	if !id.Is(id.Import, imp) {
		return site.ErrNotFound
	}
	return d.showImport(v, seat, imp, nil)
}

func (d *Desk) showImport(v *site.Visit, seat site.Seat, imp string, wrong error) error {
	r, err := site.Get[catalog.Report](v, importing+"/"+imp)
	if err != nil {
		return err
	}
	p := takenPage{at: d.at(v, seat, v.T("import.title"), "/v/produits/importer"), Report: r, Key: site.NewKey(), Counts: counts(v.Lang, r), Over: 100 * r.Done / max(r.Rows, 1)}
	if wrong != nil {
		p.Wrongs = []ui.Wrong{{Text: v.Explain(wrong)}}
	}
	for i, c := range r.Columns {
		if c.Header == "" || labelled(p.Columns, c.Header) { // columns are spoken of by their names
			continue
		}
		p.Columns = append(p.Columns, ui.Field{Name: "c_" + strconv.Itoa(i), Label: c.Header, Options: columnOptions(v), Value: c.Column})
	}
	for i, w := range r.Words {
		f := ui.Field{Name: "w_" + strconv.Itoa(i), Label: w.Word, Options: categoryOptions(v), Value: w.Category}
		if w.By == "guess" {
			f.Hint = v.T("import.guessed")
		}
		p.Words = append(p.Words, f)
	}
	bad, err := site.Get[page[catalog.Outcome]](v, importing+"/"+imp+"/rows"+query("verdict", string(catalog.RowRejected), "limit", "50", "cursor", v.Query.Get("suite")))
	if err != nil {
		return err
	}
	for _, o := range bad.Data {
		for _, x := range o.Details {
			line := rowLine{Row: v.T("import.row", "n", v.Lang.Number(int64(o.Row))), Column: v.T("import.whole_row"), Detail: x.Detail}
			if column := strings.TrimPrefix(x.Pointer, "/"); slices.Contains(catalog.Columns(), column) {
				line.Column, line.Takes = v.T("import.col_"+column), takes(v.Lang, column)
			}
			p.Lines = append(p.Lines, line)
		}
	}
	if next := bad.next(); next != "" {
		p.Next = v.Href("/v/importer/"+imp, "suite", next)
	}
	status := http.StatusOK
	if f, ok := errors.AsType[*site.Fault](wrong); ok {
		status = f.Status
	}
	return v.ShowAs(status, takenView(p))
}

// takes says what a column takes, where that is more than a text.
func takes(l ui.Lang, column string) string {
	key := "import.takes_" + column
	if s := l.T(key); s != key {
		return s
	}
	return ""
}

// takeIn has the file of an import looked through again, or taken in, with what the
// seller says of columns and categories.
func (d *Desk) takeIn(v *site.Visit, seat site.Seat) error {
	imp := v.R.PathValue("import")
	if !id.Is(id.Import, imp) {
		return site.ErrNotFound
	}
	what := v.Field("quoi")
	if what != "regarder" && what != "prendre" {
		return site.ErrNotFound
	}
	columns, words := saidOf(v, "c_"), saidOf(v, "w_")
	in := map[string]any{"dry_run": what == "regarder", "background": v.Field("long") != ""}
	if len(columns) > 0 {
		in["map"] = columns
	}
	if len(words) > 0 {
		in["category"] = words
	}
	r, err := site.Post[catalog.Report](v, importing+"/"+imp+"/again", in)
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status < http.StatusInternalServerError && f.Status != http.StatusUnauthorized {
		return d.showImport(v, seat, imp, err)
	}
	if err != nil {
		return err
	}
	return v.Go("/v/importer/" + r.ID)
}
