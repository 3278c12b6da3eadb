package finance

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

const applicationColumns = `a.id, a.product, a.product_version, a.kind, a.bank, a.member, a.amount, a.months, a.purpose, a.sections, a.sensitive, a.days, a.state, a.partner, a.standing,
	a.offer_amount, a.offer_rate, a.offer_months, a.offer_monthly, a.offer_fees, a.offer_terms, a.offer_until, a.reason, a.rib, a.holder, a.account, a.deadline, a.made_by, a.made_at, a.moved_at, a.version`

// going are the states of applications that go on, as the indexes have them.
const going = `('submitted', 'received', 'in_review', 'papers_asked', 'offered', 'accepted')`

func insertApplication(tx *pg.Tx, a Application) {
	tx.Queue(`insert into finance.application (id, product, product_version, kind, bank, member, amount, months, purpose, sections, sensitive, days, state, deadline, made_by, made_at, moved_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		a.ID, a.Product, a.ProductVersion, a.Kind, a.Bank, a.Member, a.Amount, a.Months, a.Purpose, a.Sections, a.Sensitive, a.Days, a.State, a.Deadline, a.MadeBy, a.MadeAt, a.MovedAt)
}

func lockApplication(ctx context.Context, tx *pg.Tx, id string) (Application, error) {
	return pg.One[Application](ctx, tx, ErrNotFound, `select `+applicationColumns+` from finance.application a where a.id = $1 for update`, id)
}

func loadApplication(ctx context.Context, db pg.DB, id string) (Application, error) {
	return pg.One[Application](ctx, db, ErrNotFound, `select `+applicationColumns+` from finance.application a where a.id = $1`, id)
}

// saveApplication writes an application that is locked.
func saveApplication(tx *pg.Tx, a Application) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "application_moves") {
			return ErrState.With(err)
		}
		return err
	}, `update finance.application set state = $2, partner = $3, standing = $4, offer_amount = $5, offer_rate = $6, offer_months = $7, offer_monthly = $8, offer_fees = $9, offer_terms = $10,
			offer_until = $11, reason = $12, rib = $13, holder = $14, account = $15, deadline = $16, moved_at = $17, version = version + 1 where id = $1`,
		a.ID, a.State, a.Partner, a.Standing, a.OfferAmount, a.OfferRate, a.OfferMonths, a.OfferMonthly, a.OfferFees, a.OfferTerms, a.OfferUntil, a.Reason, a.RIB, a.Holder, a.Account, a.Deadline, a.MovedAt)
}

// lockOpen has those who apply in a member's name go one after the other, and says
// how many of its applications go on, up to a number.
func lockOpen(ctx context.Context, tx *pg.Tx, member string, most int) (int, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('finance ' || $1, 0))`, member)
	all, err := pg.Column[string](ctx, tx, `select id from finance.application where member = $1 and (state = 'draft' or state in `+going+`) order by id desc limit $2`, member, most)
	return len(all), err
}

// A filter says which applications are listed.
type filter struct {
	in           ListInput
	member, bank string
	below        string
	after        place
}

// list lists applications, the newest first, or those that go on by deadline. Only
// their member sees drafts.
func list(ctx context.Context, db pg.DB, f filter) ([]listed, error) {
	var w pg.Where
	w.And(f.member != "", "a.member =", f.member)
	w.And(f.bank != "", "a.bank =", f.bank)
	w.And(f.in.State != "", "a.state =", f.in.State)
	w.And(f.in.Kind != "", "a.kind =", f.in.Kind)
	more, order := "", "a.id desc"
	if f.member == "" {
		more = ` and a.state <> 'draft'`
	}
	if f.in.Sort == "deadline" {
		more, order = ` and a.state in `+going, "a.deadline, a.id"
		if f.after.ID != "" {
			more += ` and (a.deadline, a.id) > (` + w.Arg(f.after.At) + `, ` + w.Arg(f.after.ID) + `)`
		}
	} else {
		w.And(f.below != "", "a.id <", f.below)
	}
	return pg.All[listed](ctx, db, `select `+applicationColumns+`, e.names as product_names from finance.application a
		join finance.edition e on e.product = a.product and e.version = a.product_version
		where `+w.String()+more+` order by `+order+` limit `+w.Arg(f.in.Limit+1), w.Args()...)
}

// waiting is how many applications a bank's people are to answer, up to a hundred.
func waiting(ctx context.Context, db pg.DB, bank string) (int, error) {
	return pg.Value[int](ctx, db, nil, `select count(*)::int from (select from finance.application
		where bank = $1 and partner = '' and state in ('submitted', 'received', 'in_review', 'accepted') limit 100) a`, bank)
}

func insertGround(tx *pg.Tx, g Ground) {
	tx.Queue(`insert into finance.ground (application, consent, sections, until) values ($1, $2, $3, $4)`, g.Application, g.Consent, g.Sections, g.Until)
}

const groundColumns = `application, consent, sections, until, ended, ended_at`

func groundsOf(ctx context.Context, db pg.DB, application string) ([]Ground, error) {
	return pg.All[Ground](ctx, db, `select `+groundColumns+` from finance.ground where application = $1 order by consent`, application)
}

func readGrounds(application string, out *[]Ground) pg.Read {
	return read(out, `select `+groundColumns+` from finance.ground where application = $1 order by consent`, application)
}

// read reads rows beside others.
func read[T any](out *[]T, sql string, args ...any) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
			*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
			return err
		})
	}
}

// endGrounds notes that a consent has ended, and gives the applications that it let a
// bank read for, locked.
func endGrounds(ctx context.Context, tx *pg.Tx, consent, why string) ([]Application, error) {
	all, err := pg.All[Application](ctx, tx, `select `+applicationColumns+` from finance.application a
		where a.id in (select g.application from finance.ground g where g.consent = $1 and g.ended = '') order by a.id for update`, consent)
	if err == nil && len(all) > 0 {
		tx.Queue(`update finance.ground set ended = $2, ended_at = $3 where consent = $1 and ended = ''`, consent, why, tx.Now())
	}
	return all, err
}

const questionColumns = `application, n, text, sections, asked_by, asked_at, answer, answered_by, answered_at`

func insertQuestion(tx *pg.Tx, q Question) {
	tx.Queue(`insert into finance.question (application, n, text, sections, asked_by, asked_at) values ($1, $2, $3, $4, $5, $6)`, q.Application, q.N, q.Text, q.Sections, q.AskedBy, q.AskedAt)
}

func openQuestion(ctx context.Context, tx *pg.Tx, application string) (Question, error) {
	return pg.One[Question](ctx, tx, ErrState, `select `+questionColumns+` from finance.question where application = $1 and answered_at is null`, application)
}

func saveQuestion(tx *pg.Tx, q Question) {
	tx.QueueOne(ErrState, `update finance.question set answer = $3, answered_by = $4, answered_at = $5 where application = $1 and n = $2 and answered_at is null`, q.Application, q.N, q.Answer, q.AnsweredBy, q.AnsweredAt)
}

func lastQuestion(ctx context.Context, tx *pg.Tx, application string) (int, error) {
	return pg.Value[int](ctx, tx, nil, `select coalesce(max(n), 0) from finance.question where application = $1`, application)
}

func readQuestions(application string, out *[]Question) pg.Read {
	return read(out, `select `+questionColumns+` from finance.question where application = $1 order by n`, application)
}

func insertStep(tx *pg.Tx, a Application, side, note string) {
	tx.Queue(`insert into finance.step (application, state, side, note, at) values ($1, $2, $3, $4, $5)`, a.ID, a.State, side, note, tx.Now())
}

func readSteps(application string, out *[]Step) pg.Read {
	return read(out, `select seq, application, state, side, note, at from finance.step where application = $1 order by seq desc limit 100`, application)
}

func partnerOf(ctx context.Context, tx *pg.Tx, bank string) (string, error) {
	return pg.Value[string](ctx, tx, nil, `select coalesce((select partner from finance.channel where bank = $1), '')`, bank)
}

func saveChannel(tx *pg.Tx, v ChannelView) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "channel_one") {
			return ErrInvalid.At("/partner", "Another bank's applications go there.")
		}
		return err
	}, `insert into finance.channel (bank, partner, set_by, set_at) values ($1, $2, $3, $4)
		on conflict (bank) do update set partner = excluded.partner, set_by = excluded.set_by, set_at = excluded.set_at`, v.Bank, v.Partner, v.SetBy, v.SetAt)
}

// underWay are the applications that a partner's system has, or is to have; those
// that ended are told by their errands.
func underWay(ctx context.Context, tx *pg.Tx, partner string) ([]string, error) {
	return pg.Column[string](ctx, tx, `select id from finance.application where partner = $1 and state in `+going+` order by id limit 1000`, partner)
}

const errandColumns = `application, n, kind, text, state, tries, said, made_at, tried_at`

func insertErrand(tx *pg.Tx, e Errand) {
	tx.Queue(`insert into finance.errand (application, n, kind, text, state, made_at) values ($1, $2, $3, $4, $5, $6)`, e.Application, e.N, e.Kind, e.Text, e.State, e.MadeAt)
}

func saveErrand(tx *pg.Tx, e Errand) {
	tx.Queue(`update finance.errand set state = $3, tries = $4, said = $5, tried_at = $6 where application = $1 and n = $2`, e.Application, e.N, e.State, e.Tries, e.Said, e.TriedAt)
}

func lastErrand(ctx context.Context, tx *pg.Tx, application string) (int, error) {
	return pg.Value[int](ctx, tx, nil, `select coalesce(max(n), 0) from finance.errand where application = $1`, application)
}

func undone(ctx context.Context, tx *pg.Tx, application string) ([]Errand, error) {
	return pg.All[Errand](ctx, tx, `select `+errandColumns+` from finance.errand where application = $1 and state in ('intent', 'sending', 'unknown') order by n limit 1`, application)
}

func oneErrand(ctx context.Context, tx *pg.Tx, application string, n int) (Errand, error) {
	return pg.One[Errand](ctx, tx, ErrNotFound, `select `+errandColumns+` from finance.errand where application = $1 and n = $2`, application, n)
}

// errands lists what was not heard yet, or all of one application.
func errands(ctx context.Context, db pg.DB, application string, at errandPlace, limit int) ([]Errand, error) {
	var w pg.Where
	w.And(application != "", "application =", application)
	more := ""
	if application == "" {
		more = ` and state in ('intent', 'sending', 'unknown')`
	}
	if at.Application != "" {
		more += ` and (application, n) > (` + w.Arg(at.Application) + `, ` + w.Arg(at.N) + `)`
	}
	return pg.All[Errand](ctx, db, `select `+errandColumns+` from finance.errand where `+w.String()+more+` order by application, n limit `+w.Arg(limit), w.Args()...)
}
