package charges

import (
	"context"
	"strings"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

const requestColumns = `charge, no, connector, ref, phone, refusal, paid, settled, created_at`

func insertRequest(tx *pg.Tx, r Request) {
	tx.Queue(`insert into charges.wallet_request (charge, no, connector, ref, phone, created_at) values ($1, $2, $3, $4, $5, $6)`,
		r.Charge, r.No, r.Connector, r.Ref, r.Phone, r.CreatedAt)
}

// requestOf is what a wallet knows by a reference; its charge's lock keeps it as
// it is.
func requestOf(ctx context.Context, db pg.DB, connector, ref string) (Request, error) {
	return pg.One[Request](ctx, db, ErrNotFound, `select `+requestColumns+` from charges.wallet_request where connector = $1 and ref = $2`, connector, ref)
}

// requestOfCharge is the request of a charge that brought money.
func requestOfCharge(ctx context.Context, db pg.DB, charge, ref string) (Request, error) {
	return pg.One[Request](ctx, db, ErrNotFound, `select `+requestColumns+` from charges.wallet_request where charge = $1 and ref = $2`, charge, ref)
}

func markRefused(tx *pg.Tx, connector, ref string, why wallet.Refusal) {
	tx.QueueOne(ErrNotFound, `update charges.wallet_request set refusal = $3 where connector = $1 and ref = $2`, connector, ref, why)
}

func markPaid(tx *pg.Tx, connector, ref string) {
	tx.QueueOne(pg.ErrBusy, `update charges.wallet_request set paid = true where connector = $1 and ref = $2 and not paid`, connector, ref)
}

func markRequestSettled(tx *pg.Tx, connector, ref string) {
	tx.QueueOne(pg.ErrBusy, `update charges.wallet_request set settled = true where connector = $1 and ref = $2 and not settled`, connector, ref)
}

// saveWay keeps a charge's state with the request that is its own.
func saveWay(tx *pg.Tx, c Charge) {
	tx.QueueOne(pg.ErrBusy, `update charges.charge set state = $3, acquirer = $4, ref = $5, version = version + 1 where id = $1 and version = $2`,
		c.ID, c.Version, c.State, c.Acquirer, c.Ref)
}

// refundOfRef is the refund that one of its references names: RFD…, and RFD…-2
// for its second attempt.
func refundOfRef(ref string) (string, bool) {
	name, _, _ := strings.Cut(ref, "-")
	rest, ok := strings.CutPrefix(name, strings.ToUpper(string(id.Refund)))
	refund := string(id.Refund) + "_" + strings.ToLower(rest)
	return refund, ok && id.Is(id.Refund, refund)
}
