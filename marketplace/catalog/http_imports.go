package catalog

import (
	"context"
	"net/http"
	"time"

	"tiwiza/marketplace/catalog/sheet"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
)

const xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// Each file is held whole, and unpacked, while it is read.
const (
	importsAtOnce = 8
	importsOfOne  = 2
)

// fileRoutes are how catalogues come and go as files.
func fileRoutes(s *Service) []rest.Route {
	const one = "/v1/imports/{import}"
	return []rest.Route{
		rest.Handle("POST", "/v1/imports", "imports.create", "Import a catalogue from a CSV or XLSX file", http.StatusCreated, s.Import,
			rest.Accepts("text/csv", "text/plain", "application/octet-stream", "application/vnd.ms-excel", xlsxType, "multipart/form-data"),
			rest.Body(sheet.MaxBytes+64<<10), rest.Timeout(importTime), rest.AtOnce(importsAtOnce, importsOfOne),
			rest.About("Files have up to 30 MB and 100,000 rows. Separators (, ; tab |), UTF-8, UTF-16 and Windows code pages, Arabic digits, days as numbers and HTML in texts are understood; nothing is calculated. Headings are guessed in French, Arabic and English; what you say with map is remembered for the next file with the same heading. Categories are known by code, by name, and by what goods of them are called (Huile d’argan, زيوت), which is said in the verdict; what you say with category is remembered. The same file sent again changes nothing. A file that takes longer than the answer may wait goes on by itself: state is then running, and GET /v1/imports/{import} says how far it is.")),
		rest.Handle("GET", "/v1/imports", "imports.list", "List imports, the latest first", http.StatusOK, s.ListImports),
		rest.Handle("GET", one, "imports.show", "Show how far an import is", http.StatusOK, s.ShowImport),
		rest.Handle("POST", one+"/again", "imports.again", "Take the file of an import in once more", http.StatusCreated, s.Again,
			rest.Timeout(importTime), rest.AtOnce(importsAtOnce, importsOfOne),
			rest.About("The file that was sent is kept for 90 days: a dry run is followed by the import without sending it twice, with what columns and categories are.")),
		rest.Handle("GET", one+"/rows", "imports.rows", "List what became of each row", http.StatusOK, s.ListRows),
		rest.Handle("GET", "/v1/exports/offers.csv", "offers.export", "Export the catalogue as the CSV file an import takes", http.StatusOK, s.Export, rest.Gives("text/csv")),
		rest.Handle("GET", "/v1/exports/offers.xlsx", "offers.export_xlsx", "Export the catalogue as the workbook an import takes", http.StatusOK, s.ExportXLSX, rest.Gives(xlsxType)),
	}
}

// ImportInput is a catalogue file.
type ImportInput struct {
	DryRun     bool      `query:"dry_run" description:"Only say what would happen."`
	Background bool      `query:"background" description:"Answer at once, and take the file in afterwards."`
	Map        []string  `query:"map" maxItems:"100" description:"What a column is, as Prix TTC=price; Notes= leaves it aside. It is remembered for files with the same heading."`
	Category   []string  `query:"category" maxItems:"200" description:"What you mean by a category, as Cosmétiques bio=cosmetics; Divers= forgets it. It is remembered for all your files."`
	Seller     string    `query:"seller" maxLength:"64" description:"Whose catalogue it is; for operators."`
	File       rest.File `body:"file"`
}

// AgainInput has the file of an import taken in once more.
type AgainInput struct {
	Import     string   `path:"import"`
	DryRun     bool     `json:"dry_run" description:"Only say what would happen."`
	Background bool     `json:"background" description:"Answer at once, and take the file in afterwards."`
	Map        []string `json:"map" maxItems:"100" description:"What a column is, as Prix TTC=price; Notes= leaves it aside. It is remembered for files with the same heading."`
	Category   []string `json:"category" maxItems:"200" description:"What you mean by a category, as Cosmétiques bio=cosmetics; Divers= forgets it. It is remembered for all your files."`
}

// ImportID names an import.
type ImportID struct {
	Import string `path:"import"`
}

// ImportsInput asks for imports.
type ImportsInput struct {
	Seller string `query:"seller" maxLength:"64" description:"For operators, who see everybody's without it."`
	rest.Paging
}

// RowsInput asks for what became of an import's rows.
type RowsInput struct {
	Import  string     `path:"import"`
	Verdict RowVerdict `query:"verdict" enum:"created,updated,unchanged,rejected"`
	rest.Paging
}

// A Report says what became of an imported file. Rows count from 1 for the
// heading, as spreadsheets show them.
type Report struct {
	ID           string         `json:"id" required:"true"`
	Seller       string         `json:"seller" required:"true"`
	Name         string         `json:"name" required:"true" description:"Of the file."`
	DryRun       bool           `json:"dry_run" required:"true"`
	State        ImportState    `json:"state" required:"true" enum:"running,done,failed"`
	Reason       string         `json:"reason,omitempty" description:"Why it failed. What was taken in by then stays."`
	File         string         `json:"file,omitempty" description:"The id of the file, which is kept for 90 days, as the verdicts are."`
	Form         string         `json:"form" required:"true" enum:",csv,xlsx"`
	Encoding     string         `json:"encoding,omitempty" description:"Of a CSV file, as it was found."`
	Separator    string         `json:"separator,omitempty" description:"Of a CSV file, as it was found."`
	Columns      []Column       `json:"columns" required:"true" description:"What each column of the file is taken for."`
	Words        []CategoryWord `json:"words" required:"true" description:"What cells of the category are taken for that are no names of categories: the first 200."`
	Rows         int            `json:"rows" required:"true" description:"Rows that hold something, without the heading."`
	Done         int            `json:"done" required:"true" description:"Rows that have their verdict."`
	Created      int            `json:"created" required:"true"`
	Updated      int            `json:"updated" required:"true" description:"Rows of variants that were there and changed."`
	Unchanged    int            `json:"unchanged" required:"true" description:"Rows that say what was there already."`
	RejectedRows int            `json:"rejected_rows" required:"true"`
	Rejected     []Verdict      `json:"rejected" required:"true" description:"What is wrong with which row: the first 10,000 when the file is sent, the first 100 when it is asked for later."`
	CreatedAt    time.Time      `json:"created_at" required:"true"`
	FinishedAt   *time.Time     `json:"finished_at,omitempty"`
}

// A CategoryWord is what a seller calls a category.
type CategoryWord struct {
	Word     string `json:"word" required:"true" description:"As the file has it."`
	Category string `json:"category" required:"true" description:"What it is taken for; empty when nobody can tell."`
	By       string `json:"by" required:"true" enum:"said,guess," description:"The seller says so, now or before; a guess by what goods are called so; nobody can tell."`
}

// A Verdict says what is wrong with one row.
type Verdict struct {
	Row     int    `json:"row" required:"true"`
	Pointer string `json:"pointer" required:"true" description:"The column, as /price; / for the whole row."`
	Detail  string `json:"detail" required:"true"`
}

func (i Import) report() Report {
	r := Report{
		ID: i.ID, Seller: i.Seller, Name: i.Name, DryRun: i.DryRun, State: i.State, Reason: i.Reason, File: i.File,
		Form: i.Form, Encoding: i.Encoding, Separator: i.Separator, Columns: i.Columns, Words: i.Words,
		Rows: i.Rows, Done: i.Created + i.Updated + i.Unchanged + i.Rejected,
		Created: i.Created, Updated: i.Updated, Unchanged: i.Unchanged, RejectedRows: i.Rejected,
		Rejected: []Verdict{}, CreatedAt: i.At.UTC(), FinishedAt: rest.UTC(i.FinishedAt),
	}
	if r.Words == nil {
		r.Words = []CategoryWord{}
	}
	if r.Columns == nil {
		r.Columns = []Column{}
	}
	return r
}

// own is an import of the caller's; another's are not found.
func (s *Service) own(ctx context.Context, imp string) (Import, error) {
	i, err := findImport(ctx, s.db, imp)
	if err != nil {
		return i, err
	}
	if _, err := owner(ctx, i.Seller, ""); err != nil {
		return i, ErrNoImport
	}
	return i, nil
}

// Again takes the file of an import in once more, as if it had been sent again: for
// its seller, who has looked at a dry run and says what columns and categories are.
// A file that is kept no more is media.ErrNotFound.
func (s *Service) Again(ctx context.Context, in AgainInput) (Report, error) {
	i, err := s.own(ctx, in.Import)
	if err != nil {
		return Report{}, err
	}
	b, err := s.files.Content(ctx, i.File)
	if err != nil {
		return Report{}, err
	}
	to := ImportInput{DryRun: in.DryRun, Background: in.Background, Map: in.Map, Category: in.Category, File: rest.File{Name: i.Name, Bytes: b}}
	if auth.From(ctx).Role == auth.Operator {
		to.Seller = i.Seller
	}
	return s.Import(ctx, to)
}

// ShowImport says how far an import is, for its seller and for operators.
func (s *Service) ShowImport(ctx context.Context, in ImportID) (Report, error) {
	if _, err := s.own(ctx, in.Import); err != nil {
		return Report{}, err
	}
	return s.report(ctx, in.Import, fewShown)
}

// ListImports lists a seller's imports to it, and all to the operator, the latest
// first. What is wrong with rows is in ShowImport and ListRows.
func (s *Service) ListImports(ctx context.Context, in ImportsInput) (p rest.Page[Report], err error) {
	seller, err := mine(ctx, in.Seller)
	if err != nil {
		return p, err
	}
	after, err := in.After(id.Import)
	if err != nil {
		return p, err
	}
	rows, err := importsPage(ctx, s.db, seller, after, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Import.report, func(r Report) any { return r.ID }), nil
}

// ListRows lists what became of an import's rows, in their order.
func (s *Service) ListRows(ctx context.Context, in RowsInput) (p rest.Page[Outcome], err error) {
	if _, err := s.own(ctx, in.Import); err != nil {
		return p, err
	}
	var after int
	if err := rest.DecodeCursor(in.Cursor, &after); err != nil {
		return p, err
	}
	rows, err := outcomes(ctx, s.db, in.Import, in.Verdict, after, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.Cut(rows, in.Limit, func(o Outcome) any { return o.Row }), nil
}

// ExportInput says whose catalogue is exported.
type ExportInput struct {
	Seller string `query:"seller" maxLength:"64" description:"For operators."`
}
