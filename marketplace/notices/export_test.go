package notices

import (
	"context"

	"tiwiza/adapters/notify"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Written is a kind's text as an SMS, with the names of what it says.
func Written(k Kind, lang string, values map[string]string) (names []string, subject, text string) {
	for _, q := range k.spec().params {
		names = append(names, q.name)
	}
	r := Notice{Kind: k, Lang: language(lang)}.render(notify.SMS, values)
	return names, r.subject, r.text
}

// As is how a value stands in a text as an SMS.
func As(k Kind, name, lang, v string) string {
	for _, q := range k.spec().params {
		if q.name == name {
			w := written(q.Type, language(lang), v)
			if lang != "ar" {
				w = notify.Plain(w)
			}
			return w
		}
	}
	return "\x00"
}

// Hold takes a notice to be sent and dies before it is.
func (s *Service) Hold(ctx context.Context, t Telling) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		n := Notice{
			ID: id.New(id.Notice), Owner: t.Owner, Kind: t.Kind, Lang: "fr", Phone: t.Phone, Email: t.Email, Params: t.Params,
			State: Waiting, DueAt: tx.Now(), ExpiresAt: tx.Now().Add(day), CreatedAt: tx.Now(), Version: 1,
		}
		n.Dedupe = n.ID
		if _, err := insert(ctx, tx, n); err != nil {
			return err
		}
		_, err := s.take(ctx, tx, n.ID)
		return err
	})
}
