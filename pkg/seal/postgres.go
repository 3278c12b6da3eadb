package seal

import (
	"context"
	"errors"
	"strconv"

	"tiwiza/pkg/pg"
)

func (c Chain) head(ctx context.Context, db pg.DB) (Head, error) {
	h, err := pg.One[Head](ctx, db, errFirst, c.fill(`select '{row}' as row, seq, hash from {blocks} order by seq desc limit 1`))
	if errors.Is(err, errFirst) {
		return Head{Row: c.Row}, nil
	}
	return h, err
}

func (c Chain) stands(ctx context.Context, db pg.DB, h Head) (bool, error) {
	return pg.Value[bool](ctx, db, nil, c.fill(`select exists (select from {blocks} where seq = $1 and hash = $2)`), h.Seq, h.Hash)
}

type tip struct {
	Seq      int64
	Xid      string
	ID       int64
	Hash     []byte
	Restored bool
}

var errFirst = errors.New("there is no block yet")

// next writes the block on top of the last, of the rows whose transactions and
// all before them have ended.
func (c Chain) next(ctx context.Context, tx *pg.Tx) (int, error) {
	h, err := pg.One[tip](ctx, tx, errFirst, c.fill(`select seq, upto_xid::text as xid, upto_id as id, hash,
			upto_xid >= pg_snapshot_xmax(pg_current_snapshot()) as restored
		from {blocks} order by seq desc limit 1`))
	if errors.Is(err, errFirst) {
		h, err = tip{Xid: "0"}, nil
	}
	if err != nil {
		return 0, err
	}
	if h.Restored {
		return 0, ErrRestored
	}
	tag, err := tx.Exec(ctx, c.fill(`insert into {blocks} (seq, upto_xid, upto_id, ids, digests, prev, hash)
		select $1::bigint + 1, (array_agg(r.xid order by r.xid desc, r.id desc))[1], (array_agg(r.id order by r.xid desc, r.id desc))[1],
			array_agg(r.id order by r.xid, r.id), array_agg(r.digest order by r.xid, r.id), $4::bytea,
			sha256(int8send($1::bigint + 1) || coalesce($4::bytea, '') || int8send(count(*)) || string_agg(int8send(r.id) || r.digest, '' order by r.xid, r.id))
		from (select xid, id, digest from {view} where (xid, id) > ($2::text::xid8, $3::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
			order by xid, id limit $5) r
		having count(*) > 0`), h.Seq, h.Xid, h.ID, h.Hash, most)
	if err != nil || tag.RowsAffected() == 0 {
		return 0, err
	}
	return pg.Value[int](ctx, tx, nil, c.fill(`select cardinality(ids) from {blocks} where seq = $1`), h.Seq+1)
}

func (c Chain) waiting(ctx context.Context, db pg.DB) (int, error) {
	return pg.Value[int](ctx, db, nil, c.fill(`select count(*) from {view} where (xid, id) >
		(coalesce((select upto_xid from {blocks} order by seq desc limit 1), '0'), coalesce((select upto_id from {blocks} order by seq desc limit 1), 0))`))
}

// Broken is the query that names what is no longer as it was sealed, a text for
// each, in the order of the chain. It recomputes each row's digest and each
// block's hash, from the first block on, or of the last blocks only.
func (c Chain) Broken(last int) string {
	from := `0`
	if last > 0 {
		from = `(select coalesce(max(seq), 0) from {blocks}) - ` + strconv.Itoa(last)
	}
	return c.fill(`
		with block as (
			select b.seq, b.hash, b.prev, b.upto_xid, b.upto_id, lag(b.seq) over w as below, lag(b.hash) over w as under,
				sha256(int8send(b.seq) || coalesce(b.prev, '') || int8send(cardinality(b.ids)) || r.bytes) as should
			from {blocks} b
			cross join lateral (select string_agg(int8send(x.id) || x.digest, '' order by x.i) as bytes
				from unnest(b.ids, b.digests) with ordinality x (id, digest, i)) r
			where b.seq >= ` + from + ` window w as (order by b.seq)),
		start as (select min(seq) as seq from block),
		listed as (
			select b.seq, x.i, x.id, x.digest from {blocks} b cross join lateral unnest(b.ids, b.digests) with ordinality x (id, digest, i)
			where b.seq >= (select seq from start)),
		beneath as (select upto_xid, upto_id from {blocks} where seq = (select seq from start) - 1),
		top as (select upto_xid, upto_id from {blocks} order by seq desc limit 1),
		found as materialized (
			select v.xid, v.id, v.digest from {view} v
			where (v.xid, v.id) <= ((select upto_xid from top), (select upto_id from top))
				and (v.xid, v.id) > (coalesce((select upto_xid from beneath), '0'), coalesce((select upto_id from beneath), 0)))
		select format('block %s, row %s: {row} %s was %s after it was sealed', lpad(l.seq::text, 9, '0'), lpad(l.i::text, 5, '0'), l.id,
			case when r.id is null then 'deleted, or moved,' else 'altered' end)
		from listed l left join found r on r.id = l.id where r.digest is distinct from l.digest
		union all
		select format('block %s, row %s: {row} %s was added behind the seal', lpad(b.seq::text, 9, '0'), '00000', r.id)
		from found r left join listed l on l.id = r.id
		cross join lateral (select min(seq) as seq from block b where (b.upto_xid, b.upto_id) >= (r.xid, r.id)) b where l.id is null
		union all
		select format('block %s: the block itself was altered', lpad(seq::text, 9, '0')) from block where hash <> should
		union all
		select format('block %s: it does not stand on the block before it', lpad(seq::text, 9, '0')) from block
		where seq <> (select seq from start) and (below <> seq - 1 or prev is distinct from under) or seq = 1 and prev is not null
			or seq = (select seq from start) and seq > 1 and ` + from + ` <= 1`)
}
