package members

import (
	"context"

	"tiwiza/pkg/pg"
)

func lockPIN(ctx context.Context, tx *pg.Tx, person string) (pin, error) {
	return pg.One[pin](ctx, tx, ErrNoPIN, `select person, salt, hash, tries, set_at from members.pin where person = $1 for update`, person)
}

func savePIN(tx *pg.Tx, p pin) {
	tx.Queue(`insert into members.pin (person, salt, hash, set_at) values ($1, $2, $3, $4)
		on conflict (person) do update set salt = excluded.salt, hash = excluded.hash, tries = 0, set_at = excluded.set_at`, p.Person, p.Salt, p.Hash, p.SetAt)
}

func countPIN(tx *pg.Tx, person string, tries int) {
	tx.Queue(`update members.pin set tries = $2 where person = $1`, person, tries)
}

// forgivePIN forgets wrong PINs of somebody who has shown better who it is.
func forgivePIN(tx *pg.Tx, person string) {
	tx.Queue(`update members.pin set tries = 0 where person = $1 and tries > 0`, person)
}

func lockUp(tx *pg.Tx, session string) {
	tx.QueueOne(ErrEnded, `update members.session set locked_at = coalesce(locked_at, platform.now()) where id = $1 and ended_at is null`, session)
}

func unlock(tx *pg.Tx, session string) {
	tx.QueueOne(ErrEnded, `update members.session set locked_at = null, proof = 'pin', seen_at = platform.now() where id = $1 and ended_at is null`, session)
}
