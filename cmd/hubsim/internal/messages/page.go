package messages

import (
	"bytes"
	"html/template"
	"net/http"

	"tiwiza/cmd/hubsim/internal/world"
)

// inbox shows what people received, by address.
var inbox = template.Must(template.New("inbox").Parse(`<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<title>Messages reçus</title><style>
body{font:16px/1.4 system-ui,sans-serif;max-width:42rem;margin:1rem auto;padding:0 1rem;background:#f6f2ea;color:#2b2118}
h2{font-size:1rem;margin:1.5rem 0 .5rem}article{background:#fff;border-radius:.6rem;padding:.6rem .8rem;margin:.4rem 0}
p{margin:.2rem 0;white-space:pre-wrap;overflow-wrap:anywhere}small{color:#75685a}a{color:#8a3b12}
</style></head><body><h1>Messages reçus</h1><p><small>Démonstration : aucun téléphone ne sonne.{{if .To}} <a href="/inbox">Tous</a>{{end}}</small></p>
{{range .Boxes}}<h2><a href="/inbox?to={{.To}}"><bdi>{{.To}}</bdi></a></h2>
{{range .Messages}}<article><small>{{.At.Format "02/01 15:04:05"}} · {{.Channel}} · {{.State}}{{if gt .Taken 1}} · remis {{.Taken}} fois, porté une{{end}}</small>
{{if .Subject}}<p dir="auto"><b>{{.Subject}}</b></p>{{end}}<p dir="auto">{{.Text}}</p></article>
{{end}}{{else}}<p>Rien encore.</p>{{end}}</body></html>
`))

// A box is what one address received.
type box struct {
	To       string
	Messages []message
}

// most bounds what the page shows.
const most = 200

func (m *Messages) page(rw http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	all := m.received(to)
	var boxes []*box
	by := map[string]*box{}
	for _, in := range all[:min(most, len(all))] {
		b := by[in.To]
		if b == nil {
			b = &box{To: in.To}
			by[in.To] = b
			boxes = append(boxes, b)
		}
		b.Messages = append(b.Messages, in)
	}
	var out bytes.Buffer
	if err := inbox.Execute(&out, map[string]any{"Boxes": boxes, "To": to}); err != nil {
		world.Problem(rw, http.StatusInternalServerError, "sim.page", err.Error())
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = rw.Write(out.Bytes())
}
