package insurer

import (
	"html/template"
	"net/http"
	"strings"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
	"tiwiza/pkg/money"
)

var deskPage = template.Must(template.New("desk").Funcs(template.FuncMap{
	"mad": func(c int64) string { return money.Dirhams(c).Amount() + " MAD" },
}).Parse(`<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Assurance exemple</title><style>
body{font:16px/1.45 system-ui,"Noto Naskh Arabic",sans-serif;max-width:46rem;margin:0 auto;padding:0 1rem 3rem;background:#f6f2ea;color:#2b2118}
.demo{background:#fff3d1;padding:.5rem .8rem;margin:0 -1rem 1rem}h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}
article{background:#fff;border-radius:.6rem;padding:.7rem .9rem;margin:.5rem 0}p{margin:.2rem 0;overflow-wrap:anywhere}small{color:#75685a}
form{display:flex;flex-wrap:wrap;gap:.5rem;margin:.5rem 0 0}input,select,button{font:inherit;min-height:2.8rem;padding:.3rem .6rem;border:1px solid #b9ab98;border-radius:.4rem;background:#fff;min-width:0}
input{flex:1 1 8rem}button{background:#8a3b12;color:#fff;border:0}.error{background:#fde8e6;padding:.5rem .8rem;border-radius:.4rem}
:focus-visible{outline:3px solid #d28a00;outline-offset:2px}
</style></head><body><p class="demo">Démonstration : cet assureur n’existe pas, personne n’est assuré.</p>
<h1>Assurance exemple</h1>{{with .Error}}<p class="error" role="alert">{{.}}</p>{{end}}
<h2>Sinistres</h2>
{{range .Claims}}<article><p><b>{{.ID}}</b> · {{.State}} · {{mad .Asked}} demandés{{if .Amount}} · {{mad .Amount}} accordés{{end}}</p>
<p><small><bdi>{{.Ref}}</bdi> · contrat {{.Policy}} · {{.Type}}{{if .Transfer}} · virement {{.Transfer}}{{end}}{{if .Reason}} · {{.Reason}}{{end}}</small></p>
{{with .Text}}<p dir="auto">{{.}}</p>{{end}}{{range .Papers}}<p><small>{{.Kind}} : <a href="{{.URL}}" rel="noreferrer">{{.URL}}</a></small></p>{{end}}
{{if or (eq .State "notified") (eq .State "review")}}
<form method="post" action="/insurer/page"><input type="hidden" name="ref" value="{{.Ref}}"><input name="amount" inputmode="decimal" placeholder="Montant, ou tout" aria-label="Montant accordé"><button name="decision" value="accept">Accorder</button></form>
<form method="post" action="/insurer/page"><input type="hidden" name="ref" value="{{.Ref}}"><input name="reason" required placeholder="Motif" aria-label="Motif du refus"><button name="decision" value="reject">Refuser</button></form>
<form method="post" action="/insurer/page"><input type="hidden" name="ref" value="{{.Ref}}"><input name="papers" required placeholder="Pièces, séparées par des virgules" aria-label="Pièces demandées"><button name="decision" value="ask">Demander des pièces</button></form>
{{else if eq .State "accepted"}}<form method="post" action="/insurer/page"><input type="hidden" name="ref" value="{{.Ref}}"><button name="decision" value="pay">Virer maintenant</button></form>{{end}}
</article>{{else}}<p>Aucun sinistre.</p>{{end}}
<h2>Contrats</h2>
{{range .Policies}}<article><p><b>{{.ID}}</b> · {{.State}} · {{.Quote.Asked.Product}} · prime {{mad .Quote.Premium}}</p><p><small><bdi>{{.Ref}}</bdi>{{with .Number}} · n° {{.}}{{end}} · <bdi>{{.Holder}}</bdi>{{if .Refund}} · {{mad .Refund}} rendus{{end}}</small></p></article>
{{else}}<p>Aucun contrat.</p>{{end}}
<p><a href="/?partenaire=insurer">Ce qu’il a exécuté, et sa prochaine faute</a></p>
</body></html>
`))

func (p *Insurer) page(rw http.ResponseWriter, _ *http.Request) { p.show(rw, http.StatusOK, "") }

func (p *Insurer) show(rw http.ResponseWriter, status int, failed string) {
	in := map[string]any{"Error": failed}
	p.World.Journal.View(func(tx *journal.Tx) {
		policies := world.Newest(p.policies.All(tx))
		for n := range policies {
			policies[n] = p.today(policies[n])
		}
		in["Policies"], in["Claims"] = policies, world.Newest(p.claims.All(tx))
	})
	world.Page(rw, status, deskPage, in)
}

// postPage does what a person chose on the page: a decision.
func (p *Insurer) postPage(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, 1<<16)
	if err := r.ParseForm(); err != nil {
		p.show(rw, http.StatusBadRequest, "Le formulaire ne se lit pas.")
		return
	}
	in := decision{
		Ref: r.PostFormValue("ref"), Decision: r.PostFormValue("decision"), Amount: strings.ReplaceAll(strings.TrimSpace(r.PostFormValue("amount")), ",", "."), Reason: strings.TrimSpace(r.PostFormValue("reason")),
	}
	for _, s := range strings.Split(r.PostFormValue("papers"), ",") {
		if s = strings.TrimSpace(s); s != "" {
			in.Papers = append(in.Papers, s)
		}
	}
	if _, err := p.decided(in); err != nil {
		p.show(rw, http.StatusUnprocessableEntity, err.Error())
		return
	}
	http.Redirect(rw, r, Base, http.StatusSeeOther)
}
