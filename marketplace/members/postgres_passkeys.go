package members

import (
	"context"

	"github.com/go-webauthn/webauthn/webauthn"

	"tiwiza/pkg/pg"
)

const passkeyColumns = `id, person, credential_id, credential, label, made_at, used_at`

func insertPasskey(tx *pg.Tx, k passkey) {
	tx.Queue(`insert into members.passkey (id, person, credential_id, credential, label, made_at) values ($1, $2, $3, $4, $5, $6)`,
		k.ID, k.Person, k.CredentialID, k.Credential, k.Label, k.MadeAt)
}

func passkeysOf(ctx context.Context, db pg.DB, person string) ([]passkey, error) {
	return pg.All[passkey](ctx, db, `select `+passkeyColumns+` from members.passkey where person = $1 and ended_at is null order by id desc`, person)
}

func passkeyBy(ctx context.Context, tx *pg.Tx, credential []byte) ([]passkey, error) {
	return pg.All[passkey](ctx, tx, `select `+passkeyColumns+` from members.passkey where credential_id = $1 and ended_at is null for update`, credential)
}

func usePasskey(tx *pg.Tx, id string, c webauthn.Credential) {
	tx.Queue(`update members.passkey set credential = $2, used_at = platform.now() where id = $1`, id, c)
}

func endPasskey(tx *pg.Tx, id, why string) {
	tx.QueueOne(ErrNoPasskey, `update members.passkey set ended_at = platform.now(), ended_by = $2 where id = $1 and ended_at is null`, id, why)
}

func insertCeremony(tx *pg.Tx, c ceremony) {
	tx.Queue(`insert into members.ceremony (handle, purpose, bound, data, expires_at) values ($1, $2, $3, $4, $5)`, c.Handle, c.Purpose, c.Bound, c.Data, c.ExpiresAt)
}

// takeCeremony takes a ceremony away, for whoever is first.
func takeCeremony(ctx context.Context, tx *pg.Tx, handle []byte) ([]ceremony, error) {
	return pg.All[ceremony](ctx, tx, `delete from members.ceremony where handle = $1 returning handle, purpose, bound, data, expires_at`, handle)
}
