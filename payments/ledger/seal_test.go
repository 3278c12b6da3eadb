package ledger_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/seal"
)

// sealedBooks are books with a past, sealed in several blocks, and their owner,
// who may do anything to them.
func sealedBooks(t *testing.T) (b books, owner *pg.Store) {
	t.Helper()
	url := pgtest.URL(t)
	db := pgtest.Open(t, url, pg.Options{MaxConns: 8})
	owner = pgtest.Open(t, url, pg.Options{MaxConns: 1})
	for _, s := range []string{`set role none`, `set session_replication_role = replica`} {
		if _, err := owner.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	b = books{ledger.New(db), db, t}
	for block := range 3 {
		for i := range 5 {
			b.must(fmt.Sprintf("k%d%d", block, i), ledger.Debit("psp:p:clearing", int64(10+i)), ledger.Credit("escrow:A", int64(3+i)), ledger.Credit("fees", 7))
			err := b.do(func(_ context.Context, tx *pg.Tx) error {
				audit.Record(tx, "test", fmt.Sprint(i), "policy", map[string]int{"n": i})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		settled(t, db) // so that each round is one block
		pgtest.Seal(t, db, ledger.Chain)
		pgtest.Seal(t, db, audit.Chain)
	}
	return b, owner
}

// settled waits until every transaction has ended that is older than ours:
// those of other tests have their numbers from the same server.
func settled(t *testing.T, db *pg.Store) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		over, err := pg.Value[bool](t.Context(), db, nil, `select greatest((select xid from ledger.transfer order by xid desc limit 1),
			(select xid from platform.audit order by xid desc limit 1)) < pg_snapshot_xmin(pg_current_snapshot())`)
		if err != nil {
			t.Fatal(err)
		}
		if over {
			return
		}
		if time.Now().After(end) {
			t.Fatal("a transaction on the server is older")
		}
	}
}

// broken is what the proof of a chain names.
func broken(t *testing.T, db *pg.Store, c seal.Chain, last int) []string {
	t.Helper()
	said, err := pg.Column[string](t.Context(), db, `select said from (`+c.Broken(last)+`) v (said) order by said`)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// A chain whose end was cut off looks whole by itself: the head that somebody
// kept shows it.
func TestAHeadKeptElsewhereShowsThatTheEndWasCutOff(t *testing.T) {
	t.Parallel()
	b, owner := sealedBooks(t)
	kept, err := ledger.Chain.Head(t.Context(), b.db)
	if err != nil || kept.Seq < 2 {
		t.Fatalf("the head is %s, %v", kept, err)
	}
	if read, err := seal.ParseHead(kept.String()); err != nil || read.String() != kept.String() {
		t.Errorf("%s is read as %s, %v", kept, read, err)
	}
	for _, odd := range []string{"", "transfer:1", "transfer:0:00", "transfer:x:" + strings.Repeat("00", 32), "transfer:1:zz"} {
		if _, err := seal.ParseHead(odd); err == nil {
			t.Errorf("%q is taken for a head", odd)
		}
	}
	undo := errors.New("undo")
	err = owner.InTx(t.Context(), func(tx *pg.Tx) error {
		for _, sql := range []string{
			`delete from ledger.entry where transfer_id in (select unnest(ids) from ledger.block where seq = $1)`,
			`delete from ledger.transfer where id in (select unnest(ids) from ledger.block where seq = $1)`,
			`delete from ledger.block where seq = $1`,
		} {
			if ok, err := ledger.Chain.Stands(t.Context(), tx, kept); err != nil || !ok {
				t.Errorf("the head does not stand before its end is cut off: %v", err)
			}
			if _, err := tx.Exec(t.Context(), sql, kept.Seq); err != nil {
				return err
			}
		}
		said, err := pg.Column[string](t.Context(), tx, `select said from (`+ledger.Chain.Broken(0)+`) v (said)`)
		if err != nil || len(said) > 0 {
			t.Errorf("the chain says %q, %v", said, err)
		}
		if ok, err := ledger.Chain.Stands(t.Context(), tx, kept); err != nil || ok {
			t.Errorf("the head stands although its block is gone: %v", err)
		}
		return undo
	})
	if !errors.Is(err, undo) {
		t.Error(err)
	}
}

func TestAnAlteredRowIsNamed(t *testing.T) {
	t.Parallel()
	b, owner := sealedBooks(t)
	const of = `(select id from ledger.transfer where key = 'k12')`
	n, err := pg.Value[int64](t.Context(), b.db, nil, `select id from ledger.transfer where key = 'k12'`)
	if err != nil {
		t.Fatal(err)
	}
	// Each is done to a fresh copy of the rows, which are put back afterwards.
	for name, c := range map[string]struct {
		chain seal.Chain
		sql   []string
		says  string
	}{
		"an amount":              {ledger.Chain, []string{`update ledger.entry set amount = amount * 2 where transfer_id = ` + of}, fmt.Sprintf("row 00003: transfer %d was altered", n)},
		"an entry deleted":       {ledger.Chain, []string{`delete from ledger.entry where leg = 1 and transfer_id = ` + of}, fmt.Sprintf("row 00003: transfer %d was altered", n)},
		"an entry added":         {ledger.Chain, []string{`insert into ledger.entry select transfer_id, 9, account_id, shard, currency, 1, effective_at, recorded_at from ledger.entry where leg = 1 and transfer_id = ` + of}, fmt.Sprintf("transfer %d was altered", n)},
		"a time":                 {ledger.Chain, []string{`update ledger.transfer set effective_at = effective_at - interval '1 us' where key = 'k12'`}, fmt.Sprintf("transfer %d was altered", n)},
		"a reason":               {ledger.Chain, []string{`update ledger.transfer set note = 'x' where key = 'k12'`}, fmt.Sprintf("transfer %d was altered", n)},
		"an account's name":      {ledger.Chain, []string{`update ledger.account set code = 'escrow:B' where code = 'escrow:A'`}, "block 000000001, row 00001: transfer "},
		"a transfer deleted":     {ledger.Chain, []string{`delete from ledger.transfer where key = 'k12'`}, fmt.Sprintf("row 00003: transfer %d was deleted", n)},
		"a transfer dated back":  {ledger.Chain, []string{`insert into ledger.transfer (id, key, request, kind, effective_at, xid) select 999999, 'new', '', 'x', effective_at, xid from ledger.transfer where key = 'k12'`}, "block 000000002, row 00000: transfer 999999 was added behind the seal"},
		"two swapped":            {ledger.Chain, []string{`update ledger.entry set transfer_id = -1 where transfer_id = ` + of, `update ledger.entry set transfer_id = ` + of + ` where transfer_id = (select id from ledger.transfer where key = 'k13')`, `update ledger.entry set transfer_id = (select id from ledger.transfer where key = 'k13') where transfer_id = -1`}, fmt.Sprintf("block 000000002, row 00003: transfer %d was altered", n)},
		"two swapped in a block": {ledger.Chain, []string{`update ledger.block set ids = ids[2:2] || ids[1:1] || ids[3:], digests = digests[2:2] || digests[1:1] || digests[3:] where seq = 2`}, "block 000000002: the block itself was altered"},
		"a transfer moved on":    {ledger.Chain, []string{`update ledger.transfer set xid = '9000000000' where key = 'k12'`}, fmt.Sprintf("row 00003: transfer %d was deleted, or moved", n)},
		"a block's hash":         {ledger.Chain, []string{`update ledger.block set hash = sha256(hash) where seq = 2`}, "block 000000002: the block itself"},
		"a block deleted":        {ledger.Chain, []string{`delete from ledger.block where seq = 2`}, "block 000000003: it does not stand on the block before it"},
		"the first block gone":   {ledger.Chain, []string{`delete from ledger.block where seq = 1`}, "block 000000002: it does not stand"},
		"a forged chain":         {ledger.Chain, []string{`update ledger.block b set prev = sha256('x'), hash = sha256(int8send(seq) || sha256('x') || int8send(cardinality(ids)) || (select string_agg(int8send(id) || digest, '' order by i) from unnest(b.ids, b.digests) with ordinality x (id, digest, i))) where seq = 2`}, "block 000000002: it does not stand"},
		"who did it":             {audit.Chain, []string{`update platform.audit set actor = 'nobody' where seq = 7`}, "block 000000002, row 00002: audit 7 was altered"},
		"what was said":          {audit.Chain, []string{`update platform.audit set detail = '{}' where seq = 7`}, "audit 7 was altered"},
		"a trace removed":        {audit.Chain, []string{`delete from platform.audit where seq = 7`}, "audit 7 was deleted"},
		"a trace added":          {audit.Chain, []string{`insert into platform.audit (seq, action, subject, policy, xid) overriding system value select 999, 'a', 'b', 'c', xid from platform.audit where seq = 7`}, "audit 999 was added behind the seal"},
	} {
		err := owner.InTx(t.Context(), func(tx *pg.Tx) error {
			for _, s := range c.sql {
				if _, err := tx.Exec(t.Context(), s); err != nil {
					return fmt.Errorf("%s: %w", s, err)
				}
			}
			said, err := pg.Column[string](t.Context(), tx, `select said from (`+c.chain.Broken(0)+`) v (said) order by said`)
			if err != nil {
				return err
			}
			named := slices.IndexFunc(said, func(s string) bool { return strings.Contains(s, c.says) })
			if named < 0 || named > 0 && !strings.Contains(c.says, "does not stand") { // rows of a lost block are named with it
				t.Errorf("%s: what is named is %q, want %q first", name, said, c.says)
			}
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			t.Error(err)
		}
	}
	for _, chain := range []seal.Chain{ledger.Chain, audit.Chain} {
		for _, last := range []int{0, 1, 2, 9} {
			if said := broken(t, b.db, chain, last); len(said) > 0 {
				t.Errorf("untouched: %v", said)
			}
		}
	}
}

var errUndo = errors.New("put back")

func TestWhatIsNotSealedYetIsNoFault(t *testing.T) {
	t.Parallel()
	b, owner := sealedBooks(t)
	b.must("later", ledger.Debit("psp:p:clearing", 1), ledger.Credit("fees", 1))
	if _, err := owner.Exec(t.Context(), `update ledger.transfer set note = 'x' where key = 'later'`); err != nil {
		t.Fatal(err)
	}
	if said := broken(t, b.db, ledger.Chain, 0); len(said) > 0 {
		t.Error(said)
	}
	pgtest.Seal(t, b.db, ledger.Chain)
	if _, err := owner.Exec(t.Context(), `update ledger.transfer set note = 'y' where key = 'later'`); err != nil {
		t.Fatal(err)
	}
	if said := broken(t, b.db, ledger.Chain, 1); len(said) != 1 || !strings.Contains(said[0], "block 000000004, row 00001") {
		t.Errorf("of the last block: %v", said)
	}
}

// A dump restored onto a server that counts its transactions from the start must
// not look sealed for ever.
func TestARestoredDumpIsNoticed(t *testing.T) {
	t.Parallel()
	b, owner := sealedBooks(t)
	if _, err := owner.Exec(t.Context(), `update ledger.block set upto_xid = '90000000000' where seq = 3`); err != nil {
		t.Fatal(err)
	}
	b.must("later", ledger.Debit("psp:p:clearing", 1), ledger.Credit("fees", 1))
	if _, err := ledger.Chain.Seal(t.Context(), b.db); !errors.Is(err, seal.ErrRestored) {
		t.Errorf("error = %v, want ErrRestored", err)
	}
}

// A transaction that began earlier and commits later is sealed in its place or
// later, never skipped, and nobody waits for the sealer.
func TestTheSealSkipsNobody(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("first", ledger.Debit("psp:p:clearing", 1), ledger.Credit("fees", 1))
	posted, commit, done := make(chan bool), make(chan bool), make(chan error, 1)
	go func() {
		done <- b.do(func(ctx context.Context, tx *pg.Tx) error {
			err := b.Post(ctx, tx, ledger.Transfer{Key: "slow", Kind: "test", Currency: "MAD", Legs: []ledger.Leg{ledger.Debit("psp:p:clearing", 5), ledger.Credit("fees", 5)}})
			if err == nil {
				err = tx.Flush(ctx)
			}
			posted <- true
			<-commit
			return err
		})
	}()
	<-posted
	b.must("after", ledger.Debit("carrier:c:cod", 2), ledger.Credit("loss", 2)) // other accounts: the first holds its rows
	if _, err := ledger.Chain.Drain(t.Context(), b.db); err != nil {
		t.Fatal(err)
	}
	sealed := func() (n int) {
		n, err := pg.Value[int](t.Context(), b.db, nil, `select coalesce(sum(cardinality(ids)), 0) from ledger.block`)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := sealed(); n > 1 {
		t.Errorf("%d transfers are sealed while an older transaction is at work, want at most 1", n)
	}
	commit <- true
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	pgtest.Seal(t, b.db, ledger.Chain)
	if n := sealed(); n != 3 {
		t.Errorf("%d transfers are sealed, want 3", n)
	}
	if said := broken(t, b.db, ledger.Chain, 0); len(said) > 0 {
		t.Error(said)
	}
}

func TestManySealersMakeOneChain(t *testing.T) {
	t.Parallel()
	b := open(t)
	ctx, stop := context.WithCancel(t.Context())
	var sealers, posters sync.WaitGroup
	for range 3 {
		sealers.Go(func() { seal.Run(ctx, b.db, ledger.Chain, audit.Chain) })
		sealers.Go(func() {
			for ctx.Err() == nil {
				if _, err := ledger.Chain.Drain(ctx, b.db); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for p := range 4 {
		posters.Go(func() {
			for i := range 50 {
				b.must(fmt.Sprint(p, i), ledger.Debit("psp:p:clearing", 1), ledger.Credit(fmt.Sprintf("escrow:%d", p), 1))
			}
		})
	}
	posters.Wait()
	stop()
	sealers.Wait()
	pgtest.Seal(t, b.db, ledger.Chain)
	n, err := pg.Value[int](t.Context(), b.db, nil, `select count(distinct id) from ledger.block, unnest(ids) id`)
	if err != nil || n != 200 {
		t.Errorf("%d transfers are sealed (%v), want 200", n, err)
	}
	if said := broken(t, b.db, ledger.Chain, 0); len(said) > 0 {
		t.Error(said)
	}
}

// The canonical form, written anew from its description: whoever has the rows can
// check the chain without our code.
func TestTheCanonicalFormIsAsDescribed(t *testing.T) {
	t.Parallel()
	b, _ := sealedBooks(t)
	err := b.do(func(ctx context.Context, tx *pg.Tx) error {
		return b.Post(ctx, tx, ledger.Transfer{Key: "ar", Kind: "test", Order: "ord_1", Note: "دفعة «x»", Currency: "MAD", Legs: []ledger.Leg{ledger.Debit("psp:p:clearing", 5), ledger.Credit("escrow:زيت", 5)}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.reverse("undo", "ar"); err != nil {
		t.Fatal(err)
	}
	pgtest.Seal(t, b.db, ledger.Chain)
	type block struct {
		Seq        int64
		IDs        []int64
		Digests    [][]byte
		Prev, Hash []byte
	}
	blocks, err := pg.All[block](t.Context(), b.db, `select seq, ids as i_ds, digests, prev, hash from ledger.block order by seq`)
	if err != nil {
		t.Fatal(err)
	}
	var prev []byte
	for _, k := range blocks {
		h := sha256.New()
		h.Write(number(k.Seq))
		h.Write(prev)
		h.Write(number(int64(len(k.IDs))))
		for i, id := range k.IDs {
			if d := digest(t, b.db, id); !bytes.Equal(d, k.Digests[i]) {
				t.Errorf("transfer %d is %x, sealed as %x", id, d, k.Digests[i])
			}
			h.Write(number(id))
			h.Write(k.Digests[i])
		}
		if prev = h.Sum(nil); !bytes.Equal(prev, k.Hash) {
			t.Errorf("block %d is %x, want %x", k.Seq, k.Hash, prev)
		}
	}
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
func short(n int) []byte    { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func count(n int) []byte    { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
func words(s string) []byte { return append(count(len(s)), s...) }
func micros(at time.Time) []byte {
	return number(at.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Microseconds())
}

func digest(t *testing.T, db *pg.Store, id int64) []byte {
	type transfer struct {
		Xid, Reverses          int64
		Key, Kind, Order       string
		Actor, Note            string
		Request                []byte
		Effective, Recorded    time.Time
		Legs, Shards           []int
		Amounts                []int64
		Currencies, Codes      []string
		Effectives, Recordings []time.Time
	}
	x, err := pg.One[transfer](t.Context(), db, nil, `select x.xid::text::bigint as xid, coalesce(x.reverses, 0) as reverses, x.key, x.kind, x.order_id as "order", x.actor, x.note, x.request,
			x.effective_at as effective, x.recorded_at as recorded, array_agg(e.leg::int order by e.leg) as legs, array_agg(e.shard::int order by e.leg) as shards,
			array_agg(e.amount order by e.leg) as amounts, array_agg(e.currency order by e.leg) as currencies, array_agg(a.code order by e.leg) as codes,
			array_agg(e.effective_at order by e.leg) as effectives, array_agg(e.recorded_at order by e.leg) as recordings
		from ledger.transfer x join ledger.entry e on e.transfer_id = x.id join ledger.account a on a.id = e.account_id where x.id = $1 group by x.id`, id)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, part := range [][]byte{
		number(id), number(x.Xid), number(x.Reverses), micros(x.Effective), micros(x.Recorded),
		words(x.Key), words(x.Kind), words(x.Order), words(x.Actor), words(x.Note), words(string(x.Request)), count(len(x.Legs)),
	} {
		h.Write(part)
	}
	for i := range x.Legs {
		for _, part := range [][]byte{
			short(x.Legs[i]), short(x.Shards[i]), number(x.Amounts[i]), micros(x.Effectives[i]), micros(x.Recordings[i]), words(x.Currencies[i]), words(x.Codes[i]),
		} {
			h.Write(part)
		}
	}
	return h.Sum(nil)
}
