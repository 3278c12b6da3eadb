package notices

import (
	"context"

	"tiwiza/pkg/pg"
)

const settingsColumns = `owner, lang, channels, off, digest, phone, email, version, changed_at`

// settingsOf reads how somebody wishes to be told; nobody's wishes are none.
func settingsOf(ctx context.Context, db pg.DB, owner string) (Settings, error) {
	all, err := pg.All[Settings](ctx, db, `select `+settingsColumns+` from notices.settings where owner = $1`, owner)
	if err != nil || len(all) == 0 {
		return Settings{Owner: owner}, err
	}
	return all[0], nil
}

// lockSettings reads them with their lock; there is a row from then on.
func lockSettings(ctx context.Context, tx *pg.Tx, owner string) (Settings, error) {
	tx.Queue(`insert into notices.settings (owner, changed_at) values ($1, $2) on conflict do nothing`, owner, tx.Now())
	return pg.One[Settings](ctx, tx, ErrNotFound, `select `+settingsColumns+` from notices.settings where owner = $1 for update`, owner)
}

func saveSettings(tx *pg.Tx, s Settings) {
	tx.QueueOne(ErrChanged, `update notices.settings set lang = $3, channels = $4, off = $5, digest = $6, phone = $7, email = $8, version = version + 1, changed_at = $9
		where owner = $1 and version = $2`, s.Owner, s.Version, s.Lang, s.Channels, s.Off, s.Digest, s.Phone, s.Email, s.ChangedAt)
}

// gathered locks what waits for somebody's message of the day.
func gathered(ctx context.Context, tx *pg.Tx, owner string) ([]Notice, error) {
	return pg.All[Notice](ctx, tx, `select `+noticeColumns+` from notices.notice
		where owner = $1 and state = 'gathered' and within is null order by id for update`, owner)
}

// tellTogether notes in which message of the day some notices were told.
func tellTogether(tx *pg.Tx, ids []string, within string) {
	tx.Queue(`update notices.notice set within = $2, version = version + 1 where id = any($1)`, ids, within)
}
