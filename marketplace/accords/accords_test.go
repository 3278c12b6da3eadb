package accords_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/marketplace/accords"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// published are the texts that people may have agreed to. Who changes one makes another
// version of it, and adds it here; these lines stay.
var published = map[string]string{
	"immediate_performance 1 ar": "39249187c9b28c8ae3d500f26405b8cd6f3dc6d0aecdc3687b63de8a4981b00d", "immediate_performance 1 en": "00ae9bc2c22b992cd1faf7c518a9efc523ae1f12ad14aa546c5653a0e0cec6d1", "immediate_performance 1 fr": "addda73dc9f423f7a350bcd6f15c97e2280d24186600494698664a571904c5c0",
	"marketing 1 ar": "13406ba24c146c283d45fdbd566703e145151950b15aeb8b4f868b2d8e8d474c", "marketing 1 en": "dc8906bdb9b7c3ea6b82c31ffefc50b4f01d32a34ccb4a23de867a57be8f7d09", "marketing 1 fr": "842eeb3f784b3855b956aa927bf35f282e10535d1419f472e47a2b0f2c0863bb",
	"notices 1 ar": "66c975730b5561e5e888988cbb1c8bc176b72b93dfa8f7a79d2327c9b122ebf9", "notices 1 en": "66487db10a68858568c21a2f505649a730890697a2dcf6ed1d8d3e3f1a8fd69b", "notices 1 fr": "a5215c75d528461f2b4ad026483ee6cda21d5ac5eae49c7df64cae5852a59143",
}

func TestATextThatWasPublishedStays(t *testing.T) {
	t.Parallel()
	for _, s := range []accords.Subject{accords.Marketing, accords.AtOnce, accords.Notices} {
		for _, lang := range accords.Langs {
			x, ok := accords.TextAt(s, 1, lang)
			sum := sha256.Sum256([]byte(x.Says))
			if at := string(s) + " 1 " + lang; !ok || x.Hex() != hex.EncodeToString(sum[:]) || published[at] != x.Hex() {
				t.Errorf("%s has the hash %s, was published with %s", at, x.Hex(), published[at])
			}
		}
	}
	if x := accords.Current(accords.Marketing, "zgh"); x.Lang != "fr" {
		t.Errorf("who reads none of the languages is shown %s", x.Lang)
	}
	if _, ok := accords.Shown(accords.Marketing, accords.Current(accords.Notices, "fr").Hex()); ok {
		t.Error("another subject's text is taken for this one's")
	}
}

const lalla = "per_01jd0000000000000000000001"

// person is who says something on the market's pages.
func person(id string) auth.Principal {
	return auth.Principal{Role: auth.Buyer, Subject: id, Key: "ses_1", Human: id}
}

func say(t testing.TB, db *pg.Store, a accords.Accord) error {
	t.Helper()
	ctx := auth.With(t.Context(), person(a.Who))
	return db.InTx(ctx, func(tx *pg.Tx) error {
		accords.Record(tx, a)
		return nil
	})
}

func given(who string, s accords.Subject, about string) accords.Accord {
	x := accords.Current(accords.AtOnce, "fr")
	if s != accords.AtOnce {
		sum := sha256.Sum256([]byte(about))
		x = *accords.Made("fr", sum[:])
	}
	return accords.Accord{Who: who, Subject: s, About: about, Word: accords.Given, Text: &x, Channel: accords.Page}
}

func TestTheLedgerIsOnlyAddedTo(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	must(t, say(t, db, given("per_1", accords.AtOnce, "")))
	pgtest.Seal(t, db, accords.Chain)
	for _, sql := range []string{
		`update accords.accord set word = 'refused'`, `delete from accords.accord`, `update accords.text set says = 'x'`, `delete from accords.text`, `delete from accords.block`,
	} {
		if _, err := db.Exec(auth.With(t.Context(), auth.Hub), sql); err == nil {
			t.Errorf("%s: done", sql)
		}
	}
	broken, err := pg.Column[string](t.Context(), db, accords.Chain.Broken(0))
	if must(t, err); len(broken) != 0 {
		t.Errorf("the seals are broken: %v", broken)
	}
}

func TestNobodyAgreesToNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	none := given("per_1", accords.Insurance, "")
	none.Text = nil
	late := given("per_1", accords.AtOnce, "")
	changed := *late.Text
	changed.Says += "!"
	late.Text = &changed
	system := given("per_1", accords.Insurance, "")
	system.Channel = accords.Partner
	phone := given("+212600012345", accords.Insurance, "")
	mail := given("nom@exemple.ma", accords.Insurance, "")
	must(t, say(t, db, given("per_2", accords.AtOnce, "")))
	for by, a := range map[string]accords.Accord{
		"accord_given": none, "text_hash": late, "accord_given ": system, "accord_who_check": phone, "accord_who_check ": mail,
		"accord_order": {Who: "per_1", Subject: accords.Insurance, Word: accords.Withdrawn, Channel: accords.Page},
	} {
		if err := say(t, db, a); err == nil {
			t.Errorf("%s: %+v was written down", by, a)
		}
	}
	// A text of the same version with other words, whose hash is its own.
	other := given("per_3", accords.AtOnce, "")
	words := *other.Text
	words.Says = "Autre chose."
	sum := sha256.Sum256([]byte(words.Says))
	words.Hash = sum[:]
	other.Text = &words
	if err := say(t, db, other); err == nil {
		t.Error("another text under the same version was agreed to")
	}
}

// The last word stands; what was not given cannot be taken back; each word is there.
func TestTheLastWordStands(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	next := 0
	rapid.Check(t, func(r *rapid.T) {
		next++
		who := "per_" + string(rune('a'+next%26)) + hex.EncodeToString([]byte{byte(next >> 8), byte(next)})
		stands, written := map[string]accords.Word{}, 0
		for range rapid.IntRange(1, 8).Draw(r, "words") {
			a := given(who, accords.Insurance, rapid.SampledFrom([]string{"a", "b"}).Draw(r, "about"))
			a.Word = rapid.SampledFrom([]accords.Word{accords.Given, accords.Refused, accords.Withdrawn}).Draw(r, "word")
			wrong := a.Word == accords.Withdrawn && stands[a.About] != accords.Given
			if err := say(t, db, a); (err != nil) != wrong {
				r.Fatalf("%s after %q: %v", a.Word, stands[a.About], err)
			}
			if !wrong {
				stands[a.About] = a.Word
				written++
			}
		}
		last, err := accords.Newest(t.Context(), db, who, accords.Insurance)
		if err != nil || len(last) != len(stands) {
			r.Fatalf("the last words are %v, want %v: %v", last, stands, err)
		}
		for about, w := range stands {
			if last[about] != w {
				r.Fatalf("the last word on %s is %s, want %s", about, last[about], w)
			}
		}
		rows, stood := listed(t, db, person(who), "/v1/accords?limit=100")
		if rows != written || stood != len(stands) {
			r.Fatalf("%d rows of which %d stand, want %d and %d", rows, stood, written, len(stands))
		}
	})
}

func TestEachReadsItsOwnAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	must(t, say(t, db, given(lalla, accords.AtOnce, "")))
	must(t, say(t, db, given("org_1", accords.Insurance, "sig_1")))
	at := func(p auth.Proof) auth.Principal {
		p.Session, p.Desk = true, true
		return auth.Principal{Role: auth.Seller, Subject: "org_1", Human: lalla, Key: "ses_1", Proof: p}
	}
	desk := at(auth.Proof{Rights: auth.Sell | auth.People})
	courier := at(auth.Proof{Rights: auth.Deliver})
	agent := at(auth.Proof{Rights: auth.Sell | auth.People, Agent: true})
	agent.For = "per_9"
	for _, x := range []struct {
		who    auth.Principal
		path   string
		status int
		rows   int
	}{
		{person(lalla), "/v1/accords", http.StatusOK, 1},
		{person("per_2"), "/v1/accords", http.StatusOK, 0},
		{person("per_2"), "/v1/accords?who=" + lalla, http.StatusNotFound, 0},
		{desk, "/v1/accords", http.StatusOK, 1},
		{desk, "/v1/accords?who=" + lalla, http.StatusOK, 1},
		{desk, "/v1/accords?who=per_2", http.StatusNotFound, 0},
		{desk, "/v1/accords?subject=insurance", http.StatusOK, 1},
		{courier, "/v1/accords", http.StatusOK, 1},
		{courier, "/v1/accords?subject=insurance", http.StatusOK, 0},
		{courier, "/v1/accords?who=org_1", http.StatusNotFound, 0},
		{courier, "/v1/accords?who=" + lalla, http.StatusOK, 1},
		{agent, "/v1/accords?subject=insurance", http.StatusOK, 0},
		{agent, "/v1/accords?who=org_1", http.StatusNotFound, 0},
		{agent, "/v1/accords?who=per_9", http.StatusNotFound, 0},
		{auth.Principal{Role: auth.Seller, Subject: "org_1", Key: "key_1"}, "/v1/accords", http.StatusOK, 1},
		{auth.Principal{Role: auth.Bank, Subject: "org_2", Key: "key_2"}, "/v1/accords?who=org_1", http.StatusNotFound, 0},
		{auth.Principal{Role: auth.Operator, Subject: "org_op", Key: "key_3"}, "/v1/accords", http.StatusOK, 2},
		{auth.Principal{Role: auth.Operator, Subject: "org_op", Key: "key_3"}, "/v1/accords?who=" + lalla + "&subject=immediate_performance", http.StatusOK, 1},
	} {
		status, page := ask(t, db, x.who, x.path)
		if status != x.status || len(page.Data) != x.rows {
			t.Errorf("%s %s asks %s: %d and %d rows, want %d and %d", x.who.Role, x.who.Subject, x.path, status, len(page.Data), x.status, x.rows)
		}
	}
	_, page := ask(t, db, person(lalla), "/v1/accords")
	v, text := page.Data[0], accords.Current(accords.AtOnce, "fr")
	if v.Text != text.Says || v.TextHash != text.Hex() || v.TextVersion != 1 || v.Says["fr"] != "Vous avez accepté : avoir vos fichiers et codes dès le paiement." || !v.Stands || v.By == "" {
		t.Errorf("it reads %+v", v)
	}
}

// ask asks the ledger as somebody.
func ask(t testing.TB, db *pg.Store, who auth.Principal, path string) (int, rest.Page[accords.View]) {
	t.Helper()
	policies, err := authz.New()
	must(t, err)
	mux := http.NewServeMux()
	rest.Mount(mux, accords.Routes(db), rest.Edge{
		Store: db, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		Authenticate: func(context.Context, auth.Key) (auth.Principal, error) { return who, nil },
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	r := httptest.NewRequestWithContext(t.Context(), "GET", path, http.NoBody)
	r.Header.Set("Authorization", "Bearer "+auth.NewKey().String())
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	var p rest.Page[accords.View]
	if w.Code == http.StatusOK {
		must(t, json.Unmarshal(w.Body.Bytes(), &p))
	}
	return w.Code, p
}

// listed is how many rows somebody reads, and how many of them stand.
func listed(t testing.TB, db *pg.Store, who auth.Principal, path string) (rows, stand int) {
	t.Helper()
	_, p := ask(t, db, who, path)
	for _, v := range p.Data {
		if v.Stands {
			stand++
		}
	}
	return len(p.Data), stand
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
