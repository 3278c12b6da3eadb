package notices_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/adapters/notify"
	"tiwiza/marketplace/notices"
	"tiwiza/pkg/id"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

func TestWhatIsToldIsSentOnceAfterTheCommit(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	boom := errors.New("the caller thinks otherwise")
	err := p.db.InTx(t.Context(), func(tx *pg.Tx) error {
		if err := p.s.Tell(t.Context(), tx, news(who)); err != nil {
			return err
		}
		return boom
	})
	pgtest.Idle(t, p.db)
	if p.counts(0, 0); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	one := news(who)
	one.Key = "released:A1B2C3"
	p.tell(one, one)
	p.tell(one)
	p.counts(1, 0)
	m := p.sms.sent()[0]
	if want := "Tiwiza : 123,45 DH de la commande A1B2C3 sont à vous."; m.To != number || m.Text != want {
		t.Errorf("sent %q to %s, want %q", m.Text, m.To, want)
	}
	v := p.stands(who, notices.Sent, "sms", "")
	if v.Address != "+212•••••••78" || v.Attempts != 1 {
		t.Errorf("the log shows %+v", v)
	}
	p.report(t, "delivered "+m.Ref)
	p.stands(who, notices.Delivered, "sms", "")
	p.pass(72 * time.Hour)
	p.counts(1, 0)
}

func TestTheNextWayIsTriedWhenOneCannotBring(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	p.sms.will(refused)
	p.tell(news(who))
	p.counts(1, 1)
	p.stands(who, notices.Sent, "email", "")
	if m := p.email.sent()[0]; m.To != mailbox || m.Subject != "De l'argent pour vous" {
		t.Errorf("mailed %+v", m)
	}

	other := id.New(id.Person)
	p.sms.will(refused)
	p.email.will(refused)
	p.tell(news(other))
	p.stands(other, notices.Failed, "email", "no_such_number")
	p.pass(72 * time.Hour)
	p.counts(2, 2)
}

func TestNewsThatMayHaveBeenLostIsSentAgainUnderItsName(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	p.sms.will(unknown, unknown)
	p.tell(news(who))
	for range 4 {
		p.pass(5 * time.Minute)
	}
	p.counts(3, 0)
	all := p.sms.sent()
	if all[0].Ref != all[1].Ref || all[1].Ref != all[2].Ref {
		t.Errorf("sent as %s, %s and %s", all[0].Ref, all[1].Ref, all[2].Ref)
	}
	p.stands(who, notices.Sent, "sms", "")

	p.sms.will(unknown, unknown, unknown)
	other := id.New(id.Person)
	p.tell(news(other))
	for range 8 {
		p.pass(10 * time.Minute)
	}
	p.counts(6, 1)
	p.stands(other, notices.Sent, "email", "")
}

func TestACodeIsSentOnceByEachWayAndNotAfterAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	p.sms.will(unknown)
	p.tell(code(who))
	p.pass(2 * time.Minute)
	p.counts(1, 0)
	p.stands(who, notices.Unknown, "sms", "no_answer")

	other := id.New(id.Person)
	p.sms.will(notSent)
	p.tell(code(other))
	p.counts(2, 1)
	p.stands(other, notices.Sent, "email", "")
	if m := p.email.sent()[0]; strings.Contains(m.Text, "#493817") || !strings.Contains(m.Text, "493817") {
		t.Errorf("mailed %q", m.Text)
	}
	if m := p.sms.sent()[0]; m.Valid <= 0 || m.Valid > 5*time.Minute {
		t.Errorf("the gateway may bring the code for %s", m.Valid)
	}
}

func TestAGatewayThatIsNotThereIsAskedAgain(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	p.sms.will(notSent, outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Credentials}, outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Limited, RetryAfter: 14 * time.Minute})
	p.tell(news(who))
	p.counts(1, 0)
	p.pass(time.Minute)
	p.counts(2, 0)
	p.pass(5 * time.Minute)
	p.counts(3, 0)
	if v := p.stands(who, notices.Waiting, "sms", ""); v.DueAt.Sub(p.now()) < 13*time.Minute {
		t.Errorf("a gateway that asked to be left alone for 14 minutes is asked again in %s", v.DueAt.Sub(p.now()))
	}
}

func TestACodeIsNowhereInClear(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	p.tell(code(who))
	all := func() string {
		text, err := pg.Column[string](t.Context(), p.db, `select n::text || encode(coalesce(sealed, ''), 'escape') from notices.notice n union all select a::text from notices.attempt a
			union all select args::text from river.river_job union all select payload::text from platform.event`)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(text, "\n")
	}
	if p.counts(1, 0); !strings.Contains(p.sms.sent()[0].Text, "493817") {
		t.Fatalf("sent %q", p.sms.sent()[0].Text)
	}
	if rows := all(); strings.Contains(rows, "493817") || !strings.Contains(rows, "tiwiza.example") {
		t.Errorf("the code stands in the database:\n%s", rows)
	}
	if v := p.stands(who, notices.Sent, "sms", ""); strings.Contains(v.Text, "493817") || !strings.Contains(v.Text, "••••") {
		t.Errorf("the log shows %q", v.Text)
	}
	sealed := func() int {
		n, err := pg.Value[int](t.Context(), p.db, nil, `select count(*) from notices.notice where sealed is not null`)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if sealed() != 1 {
		t.Error("the code of a notice that may be brought another way is gone")
	}
	p.pass(6 * time.Minute)
	if sealed() != 0 {
		t.Error("the code is kept though it is over")
	}
}

func TestNobodyIsWokenForWhatCanWait(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	p.at(22, 0)
	p.tell(news(who), code(id.New(id.Person)), notices.Telling{Phone: number, Kind: notices.AccountChanged, Params: map[string]string{"account": "4921", "link": p.url}})
	p.counts(2, 0)
	if v := p.stands(who, notices.Waiting, "", ""); v.DueAt == nil {
		t.Errorf("the log shows %+v", v)
	}
	p.at(7, 59)
	p.counts(2, 0)
	p.at(8, 1)
	p.counts(3, 0)
}

func TestNobodyWaitsForANoticeOfWhoWasForgotten(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.at(22, 0)
	p.tell(news(id.New(id.Person)))
	if _, err := p.db.Exec(t.Context(), `delete from notices.notice`); err != nil {
		t.Fatal(err)
	}
	p.at(8, 1)
	p.counts(0, 0)
	if n, err := pg.Value[int](t.Context(), p.db, nil, `select count(*)::int from platform.timer where kind = 'notices.turn'`); err != nil || n != 0 {
		t.Errorf("%d timers of a notice that is no more, %v", n, err)
	}
}

func TestTheMorningBringsAllThatWaited(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.at(22, 0)
	var all []notices.Telling
	for i := range 60 {
		n := news(id.New(id.Person))
		n.Phone = fmt.Sprintf("+2126000000%02d", i)
		all = append(all, n)
	}
	p.tell(all...)
	if err := p.s.Hold(t.Context(), news(id.New(id.Person))); err != nil { // one of another state among them
		t.Fatal(err)
	}
	p.counts(0, 0)
	p.at(8, 0)
	p.counts(61, 0)
	p.pass(time.Hour)
	p.counts(61, 0)
}

func TestNobodyIsFlooded(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	for range 20 {
		p.tell(news(id.New(id.Person)))
	}
	p.counts(12, 0)
	p.pass(61 * time.Minute)
	p.counts(20, 0)
	for range 30 {
		p.tell(code(id.New(id.Person)))
	}
	if n := len(p.sms.sent()); n != 32 { // twenty an hour, of whatever kind
		t.Errorf("%d were sent, want 32", n)
	}
}

func TestAHubThatDiesLeavesAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	if err := p.s.Hold(t.Context(), news(who)); err != nil {
		t.Fatal(err)
	}
	p.pass(time.Minute)
	p.counts(0, 0)
	p.stands(who, notices.Sending, "sms", "")
	p.pass(time.Minute) // nobody waits for the answer any more
	p.pass(time.Minute)
	p.counts(1, 0)
	if v := p.stands(who, notices.Sent, "sms", ""); v.Attempts != 2 {
		t.Errorf("the log shows %d attempts, want 2: the one that nobody knows of counts", v.Attempts)
	}
}

func TestManyHubsSendOnce(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	p.at(22, 0)
	p.tell(news(who))
	pgtest.Advance(t, p.db, 11*time.Hour)
	notice := p.log(who)[0].ID
	var wg sync.WaitGroup
	for range 20 {
		s := p.service()
		wg.Go(func() {
			if err := s.Bring(t.Context(), notice); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	p.counts(1, 0)
	p.stands(who, notices.Sent, "sms", "")
}

func TestAReportMovesOnAndNeverBack(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	p.tell(news(who))
	ref := p.sms.sent()[0].Ref
	p.report(t, "underway "+ref, "failed gw-"+ref)
	p.counts(1, 1) // the mail brings what the phone did not take
	p.stands(who, notices.Sent, "email", "")
	p.report(t, "failed "+ref, "delivered nat_none", "failed gw-none")
	p.counts(1, 1)
	mail := p.email.sent()[0].Ref
	if status, _ := p.ask("POST", "/callbacks/mail/notices", "", "delivered "+mail, "X-Signature", "right"); status != 204 {
		t.Errorf("answered %d", status)
	}
	p.stands(who, notices.Delivered, "email", "")
	if status, _ := p.ask("POST", "/callbacks/mail/notices", "", "failed "+mail, "X-Signature", "right"); status != 204 {
		t.Errorf("answered %d", status)
	}
	p.stands(who, notices.Delivered, "email", "")
	p.report(t, "delivered "+mail) // another gateway's
	p.counts(1, 1)
}

func TestWhatComesFromNobodyChangesNothing(t *testing.T) {
	t.Parallel()
	p, who := newPost(t), id.New(id.Person)
	p.tell(news(who))
	body := "delivered " + p.sms.sent()[0].Ref
	for name, c := range map[string]struct {
		path, body, sign string
		status           int
	}{
		"no signature":   {"/callbacks/sms/notices", body, "", 401},
		"a wrong one":    {"/callbacks/sms/notices", body, "left", 401},
		"no such":        {"/callbacks/nobody/notices", body, "right", 404},
		"garbage":        {"/callbacks/sms/notices", "garbage", "right", 400},
		"a megabyte":     {"/callbacks/sms/notices", strings.Repeat("x", 1<<20), "right", 413},
		"an empty one":   {"/callbacks/sms/notices", "", "right", 204},
		"long signature": {"/callbacks/sms/notices", body, strings.Repeat("a", 300), 422},
	} {
		status, answer := p.ask("POST", c.path, "", c.body, "X-Signature", c.sign)
		if status != c.status {
			t.Errorf("%s: answered %d, want %d: %s", name, status, c.status, answer)
		}
	}
	p.stands(who, notices.Sent, "sms", "")
}

// report has the SMS gateway say something.
func (p *post) report(t *testing.T, lines ...string) {
	t.Helper()
	status, answer := p.ask("POST", "/callbacks/sms/notices", "", strings.Join(lines, "\n"), "X-Signature", "right")
	if status != 204 {
		t.Fatalf("answered %d: %s", status, answer)
	}
	pgtest.Idle(t, p.db)
}

func TestNextEndsAndKeepsItsPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		way := rapid.SliceOfNDistinct(rapid.SampledFrom([]notify.Channel{notify.SMS, notify.WhatsApp, notify.Email}), 0, 3, rapid.ID).Draw(t, "way")
		kind := rapid.SampledFrom([]notices.Kind{notices.SignInCode, notices.MoneyReleased}).Draw(t, "kind")
		urgent := kind == notices.SignInCode
		now := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
		n := notices.Notice{Kind: kind, ExpiresAt: now.Add(rapid.SampledFrom([]time.Duration{5 * time.Minute, 48 * time.Hour}).Draw(t, "valid"))}
		var tries []notices.Attempt
		sends := map[notify.Channel]int{}
		for step := 0; ; step++ {
			if step > 40 {
				t.Fatal("it never ends")
			}
			turn := n.Next(way, tries, now)
			if turn.End != "" {
				took := false
				for _, a := range tries {
					took = took || a.State == notices.TryAccepted || a.State == notices.TryDelivered
				}
				if took != (turn.End == notices.Sent || turn.End == notices.Delivered) {
					t.Fatalf("it ended %s after %+v", turn.End, tries)
				}
				return
			}
			if now = turn.At; !now.Before(n.ExpiresAt) {
				t.Fatalf("sent at %s, when it was over at %s", now, n.ExpiresAt)
			}
			i := 0
			for i < len(tries) && tries[i].Channel != turn.Channel {
				i++
			}
			if i == len(tries) {
				tries = append(tries, notices.Attempt{Channel: turn.Channel})
			}
			if tries[i].State == notices.TryRefused {
				t.Fatalf("%s was asked again after it refused", turn.Channel)
			}
			if sends[turn.Channel]++; urgent && sends[turn.Channel] > 1 || sends[turn.Channel] > 5 {
				t.Fatalf("%s was asked %d times", turn.Channel, sends[turn.Channel])
			}
			tries[i].Sends++
			tries[i].At = now
			r := rapid.SampledFrom([]outbound.Result{
				{Outcome: outbound.Accepted}, refused, unknown, notSent, {Outcome: outbound.Unknown, Reason: outbound.Limited}, {Outcome: outbound.NotSent, Reason: outbound.Unfit},
			}).Draw(t, fmt.Sprint("answer ", step))
			tries[i] = tries[i].Heard(r)
			now = now.Add(time.Second)
		}
	})
}
