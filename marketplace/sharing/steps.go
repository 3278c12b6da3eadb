package sharing

import (
	"context"
	"encoding/hex"

	"tiwiza/pkg/pg"
)

// Wording is what a consent of these terms for an organisation says, by language,
// and its digest: whoever shows it to a dossier's owner can later hold what was
// given against what was shown. It records nothing.
func (s *Service) Wording(ctx context.Context, db pg.DB, grantee string, t Terms) (text map[string]string, sum string, err error) {
	c := Consent{Grantee: grantee, Purpose: t.Purpose, Sections: ordered(t.Sections), Sensitive: t.Sensitive, Days: t.Days}
	if err := s.word(ctx, db, &c); err != nil {
		return nil, "", err
	}
	return c.Text, hex.EncodeToString(c.Digest), nil
}

// Known are consents by their ids, for those who work with what was consented to.
func (s *Service) Known(ctx context.Context, db pg.DB, ids ...string) (map[string]Consent, error) {
	all, err := loadConsents(ctx, db, ids)
	out := make(map[string]Consent, len(all))
	for _, c := range all {
		out[c.ID] = c
	}
	return out, err
}
