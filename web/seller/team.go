package seller

import (
	"cmp"
	"net/http"

	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/team"
)

// teams are where members whose desk has a page for its own team find it.
var teams = map[string]string{"institution": "/i/equipe", "bank": "/b/equipe", "insurer": "/b/equipe"}

// team shows who works for the member.
func (d *Desk) team(v *site.Visit, seat site.Seat) error {
	if to := teams[seat.Role]; to != "" && v.R.Method == http.MethodGet {
		return v.Go(to)
	}
	v.Back = v.Href(cmp.Or(map[string]string{"seller": "/v"}[seat.Role], "/moi"))
	return team.Show(desk.View{Visit: v}, seat)
}

// teamDo invites somebody, or ends somebody's place.
func (d *Desk) teamDo(v *site.Visit, seat site.Seat) error {
	v.Back = v.Href(cmp.Or(map[string]string{"seller": "/v"}[seat.Role], "/moi"))
	return team.Do(desk.View{Visit: v}, seat)
}
