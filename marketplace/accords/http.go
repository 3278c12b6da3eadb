package accords

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the ledger: whose it is reads it, and the operator.
func Routes(db *pg.Store) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/accords", "accords.list", "List what you agreed to, refused or took back, the newest first", http.StatusOK,
			func(ctx context.Context, in ListInput) (rest.Page[View], error) { return list(ctx, db, in) },
			rest.About("Each with the version and the SHA-256 of the text that was shown, where it was said and by whom. Nothing is ever changed there; all of it is sealed.")),
	}
}

// ListInput says what is looked for in the ledger.
type ListInput struct {
	Who     string  `query:"who" maxLength:"40" description:"Whose: oneself when left out, or the organisation for which one speaks at its desk. A person who sits there may name itself; the operator anybody, or nobody for all."`
	Subject Subject `query:"subject" enum:"marketing,immediate_performance,notices,dossier,insurance"`
	rest.Paging
}

// View is what somebody said once.
type View struct {
	Seq         int64             `json:"seq" required:"true"`
	At          time.Time         `json:"at" required:"true"`
	Who         string            `json:"who" required:"true"`
	By          string            `json:"by" required:"true" description:"Who said it, as the trail writes it: on behalf of whom, too."`
	Subject     Subject           `json:"subject" required:"true" enum:"marketing,immediate_performance,notices,dossier,insurance"`
	About       string            `json:"about,omitempty" description:"Which of several: a consent, a policy, an order group, a channel, a kind of notice."`
	Word        Word              `json:"word" required:"true" enum:"given,refused,withdrawn"`
	Stands      bool              `json:"stands" required:"true" description:"It is the last that was said of this, and its time is not over."`
	Says        map[string]string `json:"says" required:"true" description:"In plain words, by language: fr, ar, en."`
	TextVersion int               `json:"text_version,omitempty" description:"Of the text that was shown; none: the words were made for this agreement, and stand there."`
	Lang        string            `json:"lang,omitempty" enum:"fr,ar,en" description:"In which it was shown."`
	Text        string            `json:"text,omitempty" description:"The text that was shown."`
	TextHash    string            `json:"text_hash,omitempty" description:"Its SHA-256."`
	Until       *time.Time        `json:"until,omitempty" description:"It ends by itself."`
	Channel     Channel           `json:"channel" required:"true" enum:"page,api,agent,paper,partner,hub"`
}

func (r row) view(now time.Time) View {
	v := View{
		Seq: r.Seq, At: r.At.UTC(), Who: r.Who, By: r.Actor, Subject: r.Subject, About: r.About, Word: r.Word, Stands: r.Last && (r.Until == nil || now.Before(*r.Until)),
		Says: r.said(), Lang: r.Lang, Text: r.Says, TextHash: hex.EncodeToString(r.Hash), Until: rest.UTC(r.Until), Channel: r.Channel,
	}
	if r.TextVersion != nil {
		v.TextVersion = *r.TextVersion
	}
	return v
}

// whose are whom a caller may ask about, by whom it names: ErrNotFound for others. What
// an organisation agreed to is for those who speak for it: everyone else at its desk, and
// who acts for a member there, asks about itself alone.
func whose(who auth.Principal, named string) ([]string, error) {
	switch {
	case who.Role != auth.Operator && (who.For != "" || who.Proof.Desk && who.Proof.Rights&auth.People == 0):
		if named == "" || named == who.Human {
			return []string{who.Human}, nil
		}
		return nil, ErrNotFound
	case who.Role == auth.Operator && named == "":
		return nil, nil
	case who.Role == auth.Operator:
		return []string{named}, nil
	case named == "" && who.Role == auth.Buyer:
		_, all := who.Sides()
		return all, nil
	case named == "":
		return []string{who.Subject}, nil
	case named == who.Subject, named == who.Human && id.Is(id.Person, named), who.Role == auth.Buyer && who.Owns(named):
		return []string{named}, nil
	}
	return nil, ErrNotFound
}

func list(ctx context.Context, db pg.DB, in ListInput) (p rest.Page[View], err error) {
	var below int64
	if err := rest.DecodeCursor(in.Cursor, &below); err != nil {
		return p, err
	}
	of, err := whose(auth.From(ctx), in.Who)
	if err != nil {
		return p, err
	}
	now, err := today(ctx, db)
	if err != nil {
		return p, err
	}
	all, err := rows(ctx, db, of, in.Subject, below, in.Limit+1)
	return rest.View(all, in.Limit, func(r row) View { return r.view(now) }, func(v View) any { return v.Seq }), err
}
