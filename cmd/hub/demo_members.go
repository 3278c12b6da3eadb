package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type demoMembersCmd struct{}

// Run plays how somebody joins the market and shares its accounts, and prints what
// came of it as a line of JSON.
func (demoMembersCmd) Run(ctx context.Context, s *Settings) error {
	keys, err := readDemo(filepath.Join(s.DataDir, demoFile))
	if err != nil {
		return fmt.Errorf("no demonstration hub is at work here: start one with make run (%w)", err)
	}
	p := &player{client: &http.Client{Timeout: 30 * time.Second}, keys: keys, say: os.Stdout}
	f, err := p.joinsAndShares(ctx)
	if err != nil {
		return err
	}
	line, err := json.Marshal(f)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	if f.Violations > 0 {
		return exitCode(1)
	}
	return nil
}

// membership is what one run made.
type membership struct {
	Organisation string `json:"organisation"`
	Papers       int    `json:"papers"`
	Charter      string `json:"charter"`      // how it was signed
	Registration string `json:"registration"` // the number of its document
	Label        string `json:"label"`
	Badge        bool   `json:"badge"`  // the catalogue shows it
	Listed       bool   `json:"listed"` // so does the directory
	CheckUp      int    `json:"check_up"`
	Looks        int    `json:"looks"`
	Refused      string `json:"refused"` // how the read after the withdrawal was answered
	Violations   int    `json:"violations"`
}

// A joiner is somebody who joins, with whoever helps it.
type joiner struct {
	*player
	name, phone, org string
	person, agent    string // tokens: its own, and the agent's who acts for it
	papers           []string

	method              string // how it signed the charter
	registration, label string // the numbers of its documents
	badge, listed       bool
	score               int // of its check-up
}

// joinsAndShares plays it: an entrepreneur enrols with an agent's help, signs the
// charter, is admitted by two people, is registered and gets a label through institutions' back offices,
// shares its accounts with a bank, sees it look, and takes that back.
// It is an entrepreneur so that nobody else who joins meanwhile is asked for papers.
func (p *player) joinsAndShares(ctx context.Context) (f membership, err error) {
	n := &joiner{player: p, name: "Atelier Tislit " + strings.ToLower(rand.Text()[:6]) + " (exemple)"}
	for _, step := range []func(context.Context) error{n.hasCharter, n.isAsked, n.arrives, n.isHelped, n.signs, n.isAdmitted} {
		if err := step(ctx); err != nil {
			return f, fmt.Errorf("enrol %s: %w", n.name, err)
		}
	}
	if err := n.isRegistered(ctx); err != nil {
		return f, fmt.Errorf("register %s: %w", n.name, err)
	}
	if err := n.isLabelled(ctx); err != nil {
		return f, fmt.Errorf("label %s: %w", n.name, err)
	}
	if err := n.isFound(ctx); err != nil {
		return f, fmt.Errorf("find %s: %w", n.name, err)
	}
	if err := n.isCheckedUp(ctx); err != nil {
		return f, fmt.Errorf("check %s up: %w", n.name, err)
	}
	f.CheckUp = n.score
	f.Organisation, f.Papers, f.Charter, f.Listed = n.org, len(n.papers), n.method, n.listed
	f.Registration, f.Label, f.Badge = n.registration, n.label, n.badge
	if f.Looks, f.Refused, err = n.shares(ctx); err != nil {
		return f, fmt.Errorf("share the dossier of %s: %w", n.name, err)
	}
	f.Violations, err = p.violations(ctx)
	return f, err
}

// isAsked says what entrepreneurs show.
func (n *joiner) isAsked(ctx context.Context) error {
	of := func(code, kind, fr, ar string) map[string]any {
		return map[string]any{"code": code, "type": kind, "names": map[string]string{"fr": fr, "ar": ar}}
	}
	cin, card, visit := of("cin", "field", "Carte nationale", "البطاقة الوطنية"), of("card", "document", "Carte d’auto-entrepreneur", "بطاقة المقاول الذاتي"), of("visit", "visit", "Visite de l’atelier", "زيارة الورشة")
	cin["rule"], card["expires"], card["second"] = "cin", true, true
	if err := n.commit(ctx, n.keys.Operator.APIKey, "/v1/requirement-sets", map[string]any{"kind": "auto_entrepreneur", "requirements": []any{cin, card, visit}}, nil); err != nil {
		return err
	}
	n.step("the market asks entrepreneurs for a card that ends and that two people accept, a CIN that is kept sealed, and a visit")
	return nil
}

// signsIn signs somebody in by telephone.
func (p *player) signsIn(ctx context.Context, phone string) (token string, err error) {
	var asked struct{ Handle string }
	if err := p.post(ctx, "", "/v1/sign-in/codes", map[string]string{"phone": phone}, &asked); err != nil {
		return "", err
	}
	code, err := p.sent(ctx, phone, "code")
	if err != nil {
		return "", err
	}
	var v struct{ Token string }
	err = p.post(ctx, "", "/v1/sign-in/sessions", map[string]string{"phone": phone, "handle": asked.Handle, "code": code}, &v)
	return v.Token, err
}

// sent is what stood in the last message to an address.
func (p *player) sent(ctx context.Context, address, param string) (string, error) {
	var box struct {
		Data []struct{ Params map[string]string }
	}
	if err := p.get(ctx, "", "/v1/demo/inbox?limit=1&address="+url.QueryEscape(address), &box); err != nil {
		return "", err
	}
	if len(box.Data) == 0 || box.Data[0].Params[param] == "" {
		return "", fmt.Errorf("%s was sent no %s", address, param)
	}
	return box.Data[0].Params[param], nil
}

// works has somebody accept to work for an organisation and sit down there.
func (p *player) works(ctx context.Context, by, org, phone, role string) (token string, err error) {
	if token, err = p.signsIn(ctx, phone); err != nil {
		return "", err
	}
	if err := p.post(ctx, by, "/v1/organisations/"+org+"/members", map[string]string{"phone": phone, "role": role}, nil); err != nil {
		return "", err
	}
	invitation, err := p.sent(ctx, phone, "token")
	if err != nil {
		return "", err
	}
	if err := p.post(ctx, token, "/v1/invitations/"+invitation+"/accept", nil, nil); err != nil {
		return "", err
	}
	_, err = p.do(ctx, call{key: token, method: http.MethodPut, path: "/v1/sessions/desk", body: map[string]string{"organisation": org}}, nil)
	return token, err
}

// somePhone is a number that is plainly invented.
func somePhone() string {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return fmt.Sprintf("+2126001%05d", n)
}

// arrives writes the newcomer down, whose first person signs in by telephone.
func (n *joiner) arrives(ctx context.Context) error {
	var o struct{ ID string }
	err := n.post(ctx, n.keys.Operator.APIKey, "/v1/organisations", map[string]any{
		"kind": "auto_entrepreneur", "names": map[string]string{"fr": n.name, "ar": "ورشة تيسليت (مثال)"}, "region": "MA-09", "commune": "Tiznit",
	}, &o)
	if err != nil {
		return err
	}
	n.org, n.phone = o.ID, somePhone()
	n.person, err = n.works(ctx, n.keys.Operator.APIKey, n.org, n.phone, "manager")
	n.step("%s is written down, and signs in at %s", n.name, n.phone)
	return err
}

// isHelped has a field agent hand the papers in, by the newcomer's own code.
func (n *joiner) isHelped(ctx context.Context) error {
	base := n.keys.Sellers[0]
	token, err := n.works(ctx, base.APIKey, base.Organisation, somePhone(), "agent")
	if err != nil {
		return err
	}
	in := map[string]string{"organisation": n.org, "phone": n.phone}
	var asked struct{ Handle string }
	if err := n.post(ctx, token, "/v1/agent/codes", in, &asked); err != nil {
		return err
	}
	in["handle"] = asked.Handle
	if in["code"], err = n.sent(ctx, n.phone, "code"); err != nil {
		return err
	}
	var acts struct{ Token string }
	if err := n.post(ctx, token, "/v1/agent/sessions", in, &acts); err != nil {
		return err
	}
	n.agent = acts.Token
	now, err := n.now(ctx)
	if err != nil {
		return err
	}
	var file struct{ ID string }
	_, err = n.do(ctx, call{key: n.agent, method: http.MethodPost, path: "/v1/files?kind=proof", body: []byte("%PDF-1.4\n% " + n.name + "\n%%EOF\n"), contentType: "application/pdf"}, &file)
	if err != nil {
		return err
	}
	for _, paper := range []map[string]string{
		{"requirement": "cin", "value": "JB 123456"}, {"requirement": "card", "file": file.ID, "last_day": now.AddDate(1, 0, 0).Format(time.DateOnly)},
	} {
		if err := n.handsIn(ctx, n.agent, paper); err != nil {
			return err
		}
	}
	n.step("a field agent hands in the papers with the member's own code; the trail says on whose behalf")
	return nil
}

func (n *joiner) handsIn(ctx context.Context, key string, paper map[string]string) error {
	var v struct{ ID string }
	err := n.commit(ctx, key, "/v1/organisations/"+n.org+"/papers", paper, &v)
	n.papers = append(n.papers, v.ID)
	return err
}

// isAdmitted has the newcomer ask, and the market's people decide.
func (n *joiner) isAdmitted(ctx context.Context) error {
	at, one, two := "/v1/organisations/"+n.org, n.keys.Operator.APIKey, n.keys.SecondOperator.APIKey
	if err := n.move(ctx, n.person, at+"/submit", nil); err != nil {
		return err
	}
	if err := n.commit(ctx, one, at+"/review", map[string]string{}, nil); err != nil {
		return err
	}
	if err := n.refuses(ctx, one, http.MethodPost, at+"/approve", "enrolment.missing"); err != nil {
		return err
	}
	if err := n.handsIn(ctx, one, map[string]string{"requirement": "visit", "value": "Atelier vu : deux métiers, une apprentie."}); err != nil {
		return err
	}
	if err := n.refuses(ctx, one, http.MethodPost, "/v1/papers/"+n.papers[2]+"/accept", "enrolment.self"); err != nil {
		return err
	}
	for _, paper := range n.papers {
		var v struct{ Approval string }
		if err := n.commit(ctx, two, "/v1/papers/"+paper+"/accept", nil, &v); err != nil {
			return err
		}
		if v.Approval == "" {
			continue
		}
		if err := n.commit(ctx, one, "/v1/approvals/"+v.Approval, map[string]string{"decision": "approve"}, nil); err != nil {
			return err
		}
	}
	if err := n.move(ctx, one, at+"/approve", nil); err != nil {
		return err
	}
	n.step("its papers are accepted, one by two people and none by whoever handed it in; it is admitted")
	return nil
}

// shares shares the newcomer's accounts with a bank for 90 days, sees the bank look,
// and takes the consent back.
func (n *joiner) shares(ctx context.Context) (looks int, refused string, err error) {
	bank, dossier := n.keys.Bank.APIKey, "/v1/dossiers/"+n.org
	var item struct{ ID string }
	if err := n.commit(ctx, n.person, "/v1/organisations/"+n.org+"/dossier", map[string]any{
		"section": "financial", "title": "bilan", "form": map[string]any{"ventes": "48200.00", "charges": "31500.00"},
	}, &item); err != nil {
		return 0, "", err
	}
	var c struct {
		ID, Digest string
		Text       map[string]string
	}
	if err := n.commit(ctx, bank, "/v1/consent-requests", map[string]any{
		"owner": n.org, "purpose": "credit", "sections": []string{"financial"}, "days": 90, "why": "Crédit d’équipement (exemple).",
	}, &c); err != nil {
		return 0, "", err
	}
	n.step("a bank asks: «%s»", c.Text["fr"])
	if err := n.refuses(ctx, bank, http.MethodGet, dossier, "sharing.not_found"); err != nil {
		return 0, "", err
	}
	if err := n.commit(ctx, n.person, "/v1/consents/"+c.ID+"/answer", map[string]string{"decision": "grant", "digest": c.Digest}, nil); err != nil {
		return 0, "", err
	}
	if err := n.get(ctx, bank, dossier+"/items/"+item.ID, nil); err != nil {
		return 0, "", err
	}
	var log struct {
		Data []struct{ Said map[string]string }
	}
	if err := n.get(ctx, n.person, "/v1/organisations/"+n.org+"/consultations", &log); err != nil {
		return 0, "", err
	}
	for _, l := range log.Data {
		n.step("who looked: «%s»", l.Said["fr"])
	}
	if err := n.commit(ctx, n.person, "/v1/consents/"+c.ID+"/withdraw", nil, nil); err != nil {
		return 0, "", err
	}
	const ended = "sharing.ended"
	if err := n.refuses(ctx, bank, http.MethodGet, dossier+"/items/"+item.ID, ended); err != nil {
		return 0, "", err
	}
	n.step("the consent is withdrawn, and the bank's next read is refused")
	return len(log.Data), ended, nil
}

// refuses wants an answer with a code.
func (p *player) refuses(ctx context.Context, key, method, path, code string) error {
	_, err := p.do(ctx, call{key: key, method: method, path: path, once: method == http.MethodPost}, nil)
	if pr, ok := errors.AsType[*problem](err); ok && pr.Code == code {
		return nil
	}
	return fmt.Errorf("%s %s is answered %w, want %s", method, path, errors.Join(err, errors.New("no refusal")), code)
}
