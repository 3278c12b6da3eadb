package orders

import (
	"context"
	"time"

	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

const reviewColumns = `id, order_id, variant, offer, seller, buyer, stars, text, state, reply, replied_at, reason, moderated_by, created_at, version`

func insertReview(tx *pg.Tx, r Review) {
	tx.QueueMapped(reviewed, `insert into orders.review (id, order_id, variant, offer, seller, buyer, stars, text, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, r.ID, r.Order, r.Variant, r.Offer, r.Seller, r.Buyer, r.Stars, r.Text, r.CreatedAt)
}

func lockReview(ctx context.Context, tx *pg.Tx, review string) (Review, error) {
	if !id.Is(id.Review, review) {
		return Review{}, ErrNoReview
	}
	return pg.One[Review](ctx, tx, ErrNoReview, `select `+reviewColumns+` from orders.review where id = $1 for update`, review)
}

func saveReview(tx *pg.Tx, r Review) {
	tx.QueueOne(ErrModerate, `update orders.review set state = $3, reply = $4, replied_at = $5, reason = $6, moderated_by = $7, version = version + 1
		where id = $1 and version = $2`, r.ID, r.Version, r.State, r.Reply, r.RepliedAt, r.Reason, r.By)
}

func offerReviews(ctx context.Context, db pg.DB, offer, below string, limit int) ([]Review, error) {
	return pg.All[Review](ctx, db, `select `+reviewColumns+` from orders.review
		where offer = $1 and state = 'shown' and ($2 = '' or id < $2) order by id desc limit $3`, offer, below, limit)
}

// listReviews lists reviews, the newest first, from below an id on. "" for a
// party or a state means any.
func listReviews(ctx context.Context, db pg.DB, seller string, buyers []string, state, below string, limit int) ([]Review, error) {
	return pg.All[Review](ctx, db, `select `+reviewColumns+` from orders.review
		where ($1 = '' or seller = $1) and ($2::text[] is null or buyer = any($2)) and ($3 = '' or state = $3) and ($4 = '' or id < $4)
		order by id desc limit $5`, seller, buyers, state, below, limit)
}

func insertMessage(tx *pg.Tx, m Message) {
	tx.Queue(`insert into orders.message (id, order_id, sender, text, files, at) values ($1, $2, $3, $4, $5, $6)`,
		m.ID, m.Order, m.Sender, m.Text, m.Files, m.At)
}

// messagesSince is how many messages one side has sent about an order since a
// moment, as far as the bound needs it.
func messagesSince(ctx context.Context, db pg.DB, order, sender string, since time.Time) (int, error) {
	return pg.Value[int](ctx, db, nil, `select count(*)::int from (select from orders.message
		where order_id = $1 and sender = $2 and at > $3 limit 50) m`, order, sender, since)
}

func listMessages(ctx context.Context, db pg.DB, order, below string, limit int) ([]Message, error) {
	return pg.All[Message](ctx, db, `select id, order_id, sender, text, files, at from orders.message
		where order_id = $1 and ($2 = '' or id < $2) order by id desc limit $3`, order, below, limit)
}

func orderOfMessage(ctx context.Context, db pg.DB, message string) (string, error) {
	if !id.Is(id.Message, message) {
		return "", ErrNoMessage
	}
	return pg.Value[string](ctx, db, ErrNoMessage, `select order_id from orders.message where id = $1`, message)
}
