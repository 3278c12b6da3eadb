package privacy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/rest"
)

// PageInput asks for a copy to read.
type PageInput struct {
	OneExport
	Lang string `query:"lang" enum:"fr,ar,en" default:"fr"`
}

// Page is a copy as one page that stands alone: to read, to print, to keep as PDF.
func (s *Service) Page(ctx context.Context, in PageInput) (b rest.Blob, err error) {
	d, err := s.fetch(ctx, in.Export, "page")
	if err != nil {
		return b, err
	}
	page, err := d.page(in.Lang)
	return rest.Blob{ContentType: "text/html; charset=utf-8", FileName: "mes-donnees.html", Bytes: page}, err
}

// words are what the page says besides what is held.
var words = map[string]map[string]string{
	"title": {"fr": "Vos données", "ar": "معطياتكم", "en": "Your data"},
	"intro": {
		"fr": "Voici ce que la place de marché détient à votre sujet, tel qu'elle le détient. Des autres, il n'y a rien ici. Ce qui est scellé (signatures, traces, contenu des fichiers) ou à une organisation n'y est pas.",
		"ar": "هذا ما تحتفظ به المنصة عنكم كما تحتفظ به. ولا شيء هنا عن غيركم. ما هو مختوم (التوقيعات والآثار ومحتوى الملفات) أو ملك لمنظمة ليس هنا.",
		"en": "This is what the marketplace holds about you, as it holds it. There is nothing of others here. What is sealed (signatures, traces, what files hold) or an organisation's is not here.",
	},
	"made": {"fr": "Fait le", "ar": "أُعدّ يوم", "en": "Made on"},
	"why":  {"fr": "À quoi cela sert", "ar": "الغرض", "en": "What it is for"},
	"long": {"fr": "Gardé", "ar": "مدة الحفظ", "en": "Kept"},
	"none": {"fr": "Rien.", "ar": "لا شيء.", "en": "Nothing."},
}

// A cell is one thing that a row says.
type cell struct{ Name, Value string }

// A block is one table of a copy.
type block struct {
	Table, Purpose, Kept string
	Rows                 [][]cell
}

var pageTemplate = template.Must(template.New("copy").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>{{.Title}}</title>
<style>body{font:16px/1.5 sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}h2{margin-block:2rem .25rem;border-block-end:1px solid}dl{display:grid;grid-template-columns:minmax(8rem,1fr) 3fr;gap:.1rem 1rem;margin-block:.5rem;padding-block-end:.5rem;border-block-end:1px dotted;break-inside:avoid}dt{color:#555}dd{margin:0;overflow-wrap:anywhere}p.s{color:#555;margin:0}</style></head>
<body><h1>{{.Title}}</h1><p>{{.Intro}}</p><p class="s">{{.Made}} <bdi>{{.Date}}</bdi> · <bdi>{{.ID}}</bdi></p>
{{range .Blocks}}<section><h2><bdi>{{.Table}}</bdi></h2><p class="s">{{$.Why}}: {{.Purpose}}</p><p class="s">{{$.Long}}: {{.Kept}}</p>
{{range .Rows}}<dl>{{range .}}<dt><bdi>{{.Name}}</bdi></dt><dd><bdi>{{.Value}}</bdi></dd>{{end}}</dl>
{{end}}</section>
{{else}}<p>{{$.None}}</p>{{end}}</body></html>
`))

// page lays a copy out in a language. All that people wrote stands in it as text.
func (d Document) page(lang string) ([]byte, error) {
	say := func(key string) string { return words[key][lang] }
	dir := "ltr"
	if lang == "ar" {
		dir = "rtl"
	}
	var blocks []block
	for _, r := range d.Rooms {
		for _, x := range r.Sections {
			b := block{Table: x.Table}
			if _, p, ok := register.table(x.Table); ok {
				b.Purpose, b.Kept = p.Purpose[lang], p.Retention.Says[lang]
			}
			for _, raw := range x.Rows {
				row, err := cells(raw)
				if err != nil {
					return nil, fmt.Errorf("lay out %s: %w", x.Table, err)
				}
				b.Rows = append(b.Rows, row)
			}
			blocks = append(blocks, b)
		}
	}
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, map[string]any{
		"Lang": lang, "Dir": dir, "Title": say("title"), "Intro": say("intro"), "Made": say("made"), "Why": say("why"), "Long": say("long"), "None": say("none"),
		"Date": d.MadeAt.In(clock.Morocco).Format("02/01/2006"), "ID": d.Export, "Blocks": blocks,
	})
	return out.Bytes(), err
}

// cells are the members of an object in their order; what they hold besides plain
// values stands as JSON.
func cells(raw json.RawMessage) (all []cell, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		var text string
		if json.Unmarshal(v, &text) != nil {
			text = string(v)
		}
		if text == "null" || text == "" {
			continue
		}
		all = append(all, cell{strings.ReplaceAll(fmt.Sprint(name), "_", " "), text})
	}
	return all, nil
}
