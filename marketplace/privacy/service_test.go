package privacy_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/notices"
	"tiwiza/marketplace/privacy"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/job"
	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/vault"
)

const (
	lalla = "per_01jd0000000000000000000001"
	other = "per_01jd0000000000000000000002"
	phone = "+212600012345"
)

// hub is privacy with members, on a database of its own, beside a room that may be open
// or fail.
type hub struct {
	t      testing.TB
	url    string
	db     *pg.Store
	room   *room
	rights *privacy.Service
	timers *job.Timers
	mu     sync.Mutex
	told   []notices.Kind
	still  []string // who is not to be written to
}

// room is a holder that a test leads.
type room struct {
	mu    sync.Mutex
	open  []string
	fails int // so often
	asked int
}

func (r *room) Name() string    { return "example" }
func (r *room) Holds() []string { return []string{"example.thing"} }

// Periods are none of the register's.
func (r *room) Periods() []string { return nil }

// Pass finds nothing.
func (r *room) Pass(context.Context, *pg.Tx, string, time.Time, int) (int64, error) { return 0, nil }

// Bars are what the test has left open.
func (r *room) Bars(context.Context, pg.DB, personal.Subject) ([]personal.Bar, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.open) == 0 {
		return nil, nil
	}
	return []personal.Bar{{Code: "orders.open", About: r.open}}, nil
}

func (r *room) Collect(_ context.Context, _ pg.DB, s personal.Subject) (personal.Part, error) {
	return personal.Part{Room: "example", Sections: []personal.Section{{Table: "example.thing", Rows: []json.RawMessage{json.RawMessage(`{"of":"` + s.Person + `"}`)}}}}, nil
}

func (r *room) Erase(context.Context, *pg.Tx, personal.Subject) (personal.Part, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if r.fails > 0 {
		r.fails--
		return personal.Part{}, errors.New("the power is cut")
	}
	return personal.Part{Room: "example", Sections: []personal.Section{{Table: "example.thing", Erased: 1}}}, nil
}

// TellOwner writes down what somebody is told.
func (h *hub) TellOwner(_ context.Context, _ *pg.Tx, t notices.Telling) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, t.Kind)
	return nil
}

// Refuse writes down who is not to be written to.
func (h *hub) Refuse(_ context.Context, _ *pg.Tx, person string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.still = append(h.still, person)
	return nil
}

func newHub(t testing.TB) *hub {
	t.Helper()
	h := &hub{t: t, url: pgtest.URL(t), room: &room{}}
	h.db, h.rights, h.timers = h.another()
	h.exec(`insert into members.person (id, names, phone) values ($1, '{"fr": "Lalla Exemple"}', $2), ($3, '{"fr": "Autre Exemple"}', '+212600054321')`, lalla, phone, other)
	return h
}

// another is one more hub on the same database.
func (h *hub) another() (*pg.Store, *privacy.Service, *job.Timers) {
	h.t.Helper()
	return h.with(h.room)
}

// with is one more hub, whose rooms beside members and privacy are these.
func (h *hub) with(rooms ...personal.Holder) (*pg.Store, *privacy.Service, *job.Timers) {
	h.t.Helper()
	db := pgtest.Open(h.t, h.url, pg.Options{MaxConns: 6})
	pgtest.Queue(h.t, db, event.NewBus())
	policies, err := authz.New()
	must(h.t, err)
	m := members.New(db, policies)
	box, err := vault.New(slices.Repeat([]byte{7}, vault.KeySize), "papers")
	must(h.t, err)
	s := privacy.New(db, privacy.Needs{People: m, Holders: append([]personal.Holder{m.Personal()}, rooms...), Courier: h, Letters: h, Vault: box, URL: "https://market.example"})
	timers := job.NewTimers(db)
	s.Work(timers)
	return db, s, timers
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *hub) exec(sql string, args ...any) {
	h.t.Helper()
	_, err := h.db.Exec(h.t.Context(), sql, args...)
	must(h.t, err)
}

func (h *hub) count(sql string, args ...any) int {
	h.t.Helper()
	n, err := pg.Value[int](h.t.Context(), h.db, nil, sql, args...)
	must(h.t, err)
	return n
}

func (h *hub) as(person string) context.Context {
	return auth.With(h.t.Context(), auth.Principal{Key: "ses_1", Subject: person, Role: auth.Buyer, Human: person, Proof: auth.Proof{Session: true, SteppedUp: true}})
}

func (h *hub) operator() context.Context {
	return auth.With(h.t.Context(), auth.Principal{Key: "key_1", Subject: "org_1", Role: auth.Operator, Behind: "operator per_boss"})
}

func (h *hub) later(by time.Duration) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error { _, err := clock.Advance(h.t.Context(), tx, by); return err }))
}

// due fires what is due until nothing is; what failed is due again at once.
func (h *hub) due(timers *job.Timers) {
	h.t.Helper()
	for h.count(`select count(*)::int from platform.timer where due <= platform.now()`) > 0 {
		h.exec(`update platform.timer set next_at = due`)
		_, err := timers.Due(h.t.Context())
		must(h.t, err)
	}
}

// step does something in a unit of work of its own.
func step[In, Out any](h *hub, ctx context.Context, f func(context.Context, *pg.Tx, In) (Out, error), in In) (out Out, err error) {
	h.t.Helper()
	err = h.db.InTx(ctx, func(tx *pg.Tx) (err error) { out, err = f(ctx, tx, in); return err })
	return out, err
}

func (h *hub) refused(err error, code string) {
	h.t.Helper()
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != code {
		h.t.Errorf("it answers %v, want %s", err, code)
	}
}

const aDay = 24 * time.Hour

func TestACopyHasItAllAndGoes(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	e, err := step(h, h.as(lalla), h.rights.AskExport, rest.None{})
	must(t, err)
	_, err = step(h, h.as(lalla), h.rights.AskExport, rest.None{})
	h.refused(err, "personal_data.there")
	_, err = h.rights.Fetch(h.as(lalla), privacy.OneExport{Export: e.ID})
	h.refused(err, "personal_data.not_ready")
	h.due(h.timers)
	v, err := h.rights.ShowExport(h.as(lalla), privacy.OneExport{Export: e.ID})
	must(t, err)
	if v.State != privacy.Ready || v.Done != 3 || v.Rooms != 3 || v.Until.Sub(*v.ReadyAt) != 7*aDay {
		t.Errorf("the copy is %+v", v)
	}
	d, err := h.rights.Fetch(h.as(lalla), privacy.OneExport{Export: e.ID})
	must(t, err)
	b, err := json.Marshal(d)
	must(t, err)
	if text := string(b); d.Person != lalla || len(d.Rooms) != 3 || !strings.Contains(text, phone) || !strings.Contains(text, "Lalla Exemple") || strings.Contains(text, "Autre Exemple") {
		t.Errorf("the copy says %s", text)
	}
	for _, lang := range []string{"fr", "ar", "en"} {
		page, err := h.rights.Page(h.as(lalla), privacy.PageInput{OneExport: privacy.OneExport{Export: e.ID}, Lang: lang})
		must(t, err)
		if !strings.Contains(string(page.Bytes), phone[1:]) || !strings.Contains(string(page.Bytes), `lang="`+lang+`"`) {
			t.Errorf("in %s the page is %s", lang, page.Bytes)
		}
	}
	for _, f := range []func() error{
		func() error {
			_, err := h.rights.Fetch(h.as(other), privacy.OneExport{Export: e.ID})
			return err
		},
		func() error {
			_, err := h.rights.ShowExport(h.as(other), privacy.OneExport{Export: e.ID})
			return err
		},
		func() error {
			_, err := h.rights.Fetch(h.operator(), privacy.OneExport{Export: e.ID})
			return err
		},
	} {
		h.refused(f(), "personal_data.not_found")
	}
	if n := h.count(`select count(*)::int from platform.audit where action = 'personal_data.fetch' or subject = $1`, e.ID); n != 5 {
		t.Errorf("%d rows in the trail, want that it was asked for and fetched four times", n)
	}
	if n := h.count(`select count(*)::int from privacy.export_part where strpos(encode(sealed, 'escape'), '600012345') > 0`); n != 0 {
		t.Error("the copy lies open in the database")
	}
	h.later(7*aDay + time.Minute)
	_, err = h.rights.Fetch(h.as(lalla), privacy.OneExport{Export: e.ID})
	h.refused(err, "personal_data.gone")
	h.due(h.timers)
	if n := h.count(`select count(*)::int from privacy.export_part`) + h.count(`select count(*)::int from privacy.export where key is not null`); n != 0 {
		t.Errorf("%d parts and keys are left of a copy whose time is over", n)
	}
	if _, err = step(h, h.as(lalla), h.rights.AskExport, rest.None{}); err != nil {
		t.Errorf("another copy: %v", err)
	}
}

func TestForgettingGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	v, err := step(h, h.as(lalla), h.rights.AskErasure, rest.None{})
	must(t, err)
	_, err = step(h, h.as(lalla), h.rights.AskErasure, rest.None{})
	h.refused(err, "personal_data.there")
	secret := v.Certificate[strings.LastIndex(v.Certificate, "/")+1:]
	h.later(7*aDay - time.Minute)
	h.due(h.timers)
	if n := h.count(`select count(*)::int from privacy.erased`); n != 0 {
		t.Errorf("%d rooms forgot before the time was over", n)
	}
	h.later(2 * time.Minute)
	h.room.fails = 2
	_, err = h.timers.Due(t.Context()) // the second room fails
	must(t, err)
	mid, err := h.rights.Certificate(t.Context(), privacy.OneCertificate{Secret: secret})
	must(t, err)
	if mid.State != privacy.Running || mid.Done != 1 {
		t.Errorf("after it failed it is %s with %d rooms, want running with 1", mid.State, mid.Done)
	}
	if n := h.count(`select count(*)::int from members.person where id = $1 and phone is null and names = '{}'`, lalla); n != 1 {
		t.Error("the first room has not forgotten")
	}
	_, _, fresh := h.another() // another hub goes on
	h.due(fresh)
	end, err := h.rights.Certificate(t.Context(), privacy.OneCertificate{Secret: secret})
	must(t, err)
	if end.State != privacy.Done || end.Done != 3 || h.room.asked != 3 {
		t.Errorf("it is %s with %d rooms, the second asked %d times; want done with 3, asked 3 times", end.State, end.Done, h.room.asked)
	}
	if n := h.count(`select count(*)::int from privacy.erasure where subject is not null`); n != 0 {
		t.Error("by what the person was known is still sealed there")
	}
	if n := h.count(`select count(*)::int from platform.audit where action = 'personal_data.erased'`); n != 1 {
		t.Errorf("%d rows in the trail say that it is done", n)
	}
	_, err = h.rights.Certificate(t.Context(), privacy.OneCertificate{Secret: secret[:42] + "_"})
	h.refused(err, "personal_data.not_found")
	for _, x := range end.Tables {
		if x.Kept && x.Table != "privacy.erased" && x.Why["fr"] == "" && !strings.HasPrefix(x.Table, "example") {
			t.Errorf("%s is kept, and the certificate does not say why", x.Table)
		}
	}
}

// more is a room that only a newer hub has; it stands before privacy's own.
type more struct{ *room }

func (more) Name() string { return "more" }

func (m more) Collect(ctx context.Context, db pg.DB, s personal.Subject) (personal.Part, error) {
	p, err := m.room.Collect(ctx, db, s)
	p.Room = "more"
	return p, err
}

func (m more) Erase(ctx context.Context, tx *pg.Tx, s personal.Subject) (personal.Part, error) {
	p, err := m.room.Erase(ctx, tx, s)
	p.Room = "more"
	return p, err
}

func TestANewerHubForgetsInEachOfItsRooms(t *testing.T) {
	t.Parallel()
	for name, rooms := range map[string]func(*hub) []personal.Holder{
		"one more": func(h *hub) []personal.Holder { return []personal.Holder{more{&room{}}, h.room} },
		"one less": func(*hub) []personal.Holder { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			v, err := step(h, h.as(lalla), h.rights.AskErasure, rest.None{})
			must(t, err)
			x, err := step(h, h.as(other), h.rights.AskExport, rest.None{})
			must(t, err)
			_, _, timers := h.with(rooms(h)...)
			h.due(timers)
			d, err := h.rights.Fetch(h.as(other), privacy.OneExport{Export: x.ID})
			must(t, err)
			h.later(8 * aDay)
			h.due(timers)
			c, err := h.rights.Certificate(t.Context(), privacy.OneCertificate{Secret: v.Certificate[strings.LastIndex(v.Certificate, "/")+1:]})
			must(t, err)
			want := 2 + len(rooms(h))
			if n := h.count(`select count(distinct room)::int from privacy.erased`); n != want || c.State != privacy.Done {
				t.Errorf("%d rooms forgot, want %d; it is %s", n, want, c.State)
			}
			if n := h.count(`select count(distinct room)::int from privacy.erased where room in ('members', 'privacy')`); n != 2 || len(d.Rooms) != want {
				t.Errorf("%d of the first and the last forgot; the copy has %d rooms, want %d", n, len(d.Rooms), want)
			}
		})
	}
}

func TestWhatComesWhileSomebodyIsForgottenIsWaitedFor(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, err := step(h, h.as(lalla), h.rights.AskErasure, rest.None{})
	must(t, err)
	h.later(8 * aDay)
	h.room.fails = 1
	_, err = h.timers.Due(t.Context())
	must(t, err)
	h.room.open = []string{"ord_3"} // it was on its way when the person signed in no more
	h.due(h.timers)
	if n := h.count(`select count(*)::int from privacy.erased`); n != 1 || h.room.asked != 1 {
		t.Errorf("%d rooms forgot, the second was asked %d times while something was open; want 1 and once, before", n, h.room.asked)
	}
	h.room.open = nil
	h.later(2 * time.Hour)
	h.due(h.timers)
	if n := h.count(`select count(*)::int from privacy.erasure where state = 'done'`); n != 1 {
		t.Error("it never ended, though nothing is open any more")
	}
}

func TestOfTwoWhoAnswerForAnOrganisationOneStays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.exec(`insert into members.organisation (id, kind, names, region, commune, lat, lng, state) values ('org_1', 'auto_entrepreneur', '{"fr": "Exemple"}', 'MA-09', 'Agadir', 30, -9, 'active')`)
	h.exec(`insert into members.membership (id, person, organisation, role, valid_from) values ('mbr_1', $1, 'org_1', 'manager', platform.now()), ('mbr_2', $2, 'org_1', 'manager', platform.now())`, lalla, other)
	for _, p := range []string{lalla, other} {
		_, err := step(h, h.as(p), h.rights.AskErasure, rest.None{})
		must(t, err)
	}
	h.later(8 * aDay)
	var all sync.WaitGroup
	for range 2 {
		_, _, timers := h.another()
		all.Go(func() {
			if _, err := timers.Due(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	h.due(h.timers)
	if n := h.count(`select count(*)::int from members.membership where valid_to is null`); n != 1 {
		t.Errorf("%d are left to answer for it, want one", n)
	}
	if n := h.count(`select count(*)::int from privacy.erasure where state = 'barred'`); n != 1 {
		t.Errorf("%d of the two were told that they stay, want one", n)
	}
}

func TestTwoHubsForgetOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, err := step(h, h.as(lalla), h.rights.AskErasure, rest.None{})
	must(t, err)
	h.later(8 * aDay)
	var all sync.WaitGroup
	for range 4 {
		_, _, timers := h.another()
		all.Go(func() {
			for range 5 {
				if _, err := timers.Due(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	h.due(h.timers)
	if n := h.count(`select count(*)::int from privacy.erased`); n != 3 {
		t.Errorf("%d rooms are noted, want 3", n)
	}
	if n := h.count(`select count(*)::int from platform.audit where action = 'personal_data.erased'`); n != 1 {
		t.Errorf("it was done %d times", n)
	}
}

func TestWhatIsOpenStandsInTheWay(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.room.open = []string{"ord_1"}
	_, err := step(h, h.as(lalla), h.rights.AskErasure, rest.None{})
	h.refused(err, "personal_data.barred")
	if f, _ := errors.AsType[*fault.Error](err); len(f.Details) != 1 || !strings.Contains(f.Details[0].Detail, "ord_1") {
		t.Errorf("it says %+v", f)
	}
	st, err := h.rights.Standing(h.as(lalla), rest.None{})
	must(t, err)
	if len(st.Bars) != 1 || st.Bars[0].ToDo == "" || len(st.Kept) == 0 || st.Erasure != nil {
		t.Errorf("it stands so: %+v", st)
	}
	h.room.open = nil
	_, err = step(h, h.as(lalla), h.rights.AskErasure, rest.None{})
	must(t, err)
	h.room.open = []string{"ord_2"} // meanwhile
	h.later(8 * aDay)
	h.due(h.timers)
	st, err = h.rights.Standing(h.as(lalla), rest.None{})
	must(t, err)
	if st.Erasure == nil || st.Erasure.State != privacy.Barred || len(st.Erasure.Bars) != 1 || !slices.Contains(h.told, notices.ErasureBarred) {
		t.Errorf("it stands so: %+v, and the person was told %v", st.Erasure, h.told)
	}
	if n := h.count(`select count(*)::int from members.person where phone = $1`, phone); n != 1 {
		t.Error("something was erased all the same")
	}
	h.room.open = nil
	_, err = step(h, h.as(lalla), h.rights.AskErasure, rest.None{})
	must(t, err)
	kept, err := step(h, h.as(lalla), h.rights.CancelErasure, rest.None{})
	must(t, err)
	_, err = step(h, h.as(lalla), h.rights.CancelErasure, rest.None{})
	h.refused(err, "personal_data.state")
	h.later(8 * aDay)
	h.due(h.timers)
	if n := h.count(`select count(*)::int from privacy.erased`); kept.State != privacy.Cancelled || n != 0 {
		t.Errorf("after it was taken back it is %s, and %d rooms forgot", kept.State, n)
	}
}

func TestWhoeverAnswersForAnOrganisationAloneIsNotForgotten(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.exec(`insert into members.organisation (id, kind, names, region, commune, lat, lng, state) values ('org_1', 'auto_entrepreneur', '{"fr": "Exemple"}', 'MA-09', 'Agadir', 30, -9, 'active')`)
	h.exec(`insert into members.membership (id, person, organisation, role, valid_from) values ('mbr_1', $1, 'org_1', 'manager', platform.now()), ('mbr_2', $2, 'org_1', 'member', platform.now())`, lalla, other)
	_, err := step(h, h.as(lalla), h.rights.AskErasure, rest.None{})
	h.refused(err, "personal_data.barred")
	if _, err = step(h, h.as(other), h.rights.AskErasure, rest.None{}); err != nil {
		t.Errorf("one of its people: %v", err)
	}
	h.exec(`update members.organisation set state = 'suspended' where id = 'org_1'`)
	h.exec(`update members.organisation set state = 'terminated' where id = 'org_1'`)
	if _, err = step(h, h.as(lalla), h.rights.AskErasure, rest.None{}); err != nil {
		t.Errorf("after it has left: %v", err)
	}
}

func TestAnObjectionToLettersHoldsAtOnceAndTheRestIsAnsweredInTime(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	ask := func(kind privacy.Kind, about, text string) (privacy.RequestView, error) {
		return step(h, h.as(lalla), h.rights.Ask, privacy.AskInput{Kind: kind, About: about, Text: text})
	}
	v, err := ask(privacy.Objection, "marketing", "")
	must(t, err)
	if v.State != privacy.Answered || !slices.Equal(h.still, []string{lalla}) {
		t.Errorf("it is %s, and these are left alone: %v", v.State, h.still)
	}
	_, err = ask(privacy.Rectification, "accounts", " ")
	h.refused(err, "personal_data.invalid")
	_, err = ask(privacy.Rectification, "moon", "x")
	h.refused(err, "personal_data.invalid")
	first, err := ask(privacy.Rectification, "accounts", "Mon nom est mal écrit.")
	must(t, err)
	h.later(time.Hour)
	second, err := ask(privacy.Objection, "search", "Je ne veux pas.")
	must(t, err)
	if first.DueAt.Sub(first.MadeAt) != 30*aDay || first.Yourself == "" {
		t.Errorf("it is due %s after it came, and can be done at %q", first.DueAt.Sub(first.MadeAt), first.Yourself)
	}
	var seen []string
	for cursor := ""; ; {
		p, err := h.rights.Inbox(h.operator(), privacy.InboxInput{State: privacy.Received, Paging: rest.Paging{Limit: 1, Cursor: cursor}})
		must(t, err)
		for _, x := range p.Data {
			seen = append(seen, x.ID)
		}
		if p.Next == nil {
			break
		}
		cursor = *p.Next
	}
	if !slices.Equal(seen, []string{first.ID, second.ID}) {
		t.Errorf("the inbox is %v, want %s before %s", seen, first.ID, second.ID)
	}
	answer := func(id string, to privacy.RequestState, text string) error {
		_, err := step(h, h.operator(), h.rights.Answer, privacy.AnswerInput{Request: id, Decision: to, Answer: text})
		return err
	}
	h.refused(answer(second.ID, privacy.Refused, " "), "personal_data.invalid")
	must(t, answer(second.ID, privacy.Refused, "Ces mots ne disent pas de qui ils sont."))
	h.refused(answer(second.ID, privacy.Answered, ""), "personal_data.state")
	must(t, answer(first.ID, privacy.Answered, "C'est corrigé."))
	mine, err := h.rights.Requests(h.as(lalla), rest.Paging{Limit: 10})
	must(t, err)
	if len(mine.Data) != 3 || mine.Data[0].State != privacy.Refused || mine.Data[1].Answer != "C'est corrigé." || len(h.told) != 2 {
		t.Errorf("the person sees %+v and was told %v", mine.Data, h.told)
	}
	theirs, err := h.rights.Requests(h.as(other), rest.Paging{Limit: 10})
	must(t, err)
	if len(theirs.Data) != 0 {
		t.Errorf("another sees %+v", theirs.Data)
	}
}

func TestNobodyAsksWithoutEnd(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	copied := func(person string) error {
		_, err := step(h, h.as(person), h.rights.AskExport, rest.None{})
		h.due(h.timers)
		return err
	}
	for n := range 5 {
		if err := copied(lalla); err != nil {
			t.Fatalf("copy %d: %v", n+1, err)
		}
		h.later(time.Hour)
	}
	h.refused(copied(lalla), "personal_data.too_many")
	must(t, copied(other)) // of each its own
	h.later(7*aDay - 5*time.Hour + time.Minute)
	must(t, copied(lalla)) // the first is a week ago
	h.refused(copied(lalla), "personal_data.too_many")

	ask := func(person string, in privacy.AskInput) error {
		_, err := step(h, h.as(person), h.rights.Ask, in)
		return err
	}
	wrong := privacy.AskInput{Kind: privacy.Rectification, About: "accounts", Text: "Mon nom est faux."}
	var wg sync.WaitGroup
	results := make([]error, 14)
	for n := range results {
		wg.Go(func() { results[n] = ask(lalla, wrong) })
	}
	wg.Wait()
	taken := 0
	for _, err := range results {
		if err == nil {
			taken++
		} else {
			h.refused(err, "personal_data.too_many")
		}
	}
	if taken != 10 {
		t.Errorf("of 14 requests at once %d were taken, want 10", taken)
	}
	must(t, ask(other, wrong))
	must(t, ask(lalla, privacy.AskInput{Kind: privacy.Objection, About: "marketing"})) // what holds at once is never too much
}
