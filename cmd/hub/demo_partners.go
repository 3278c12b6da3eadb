package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type demoPartnersCmd struct{}

// Run plays how partners work with the market, and prints what came of it as a line
// of JSON.
func (demoPartnersCmd) Run(ctx context.Context, s *Settings) error {
	keys, err := readDemo(filepath.Join(s.DataDir, demoFile))
	if err != nil {
		return fmt.Errorf("no demonstration hub is at work here: start one with make run (%w)", err)
	}
	p := &player{client: &http.Client{Timeout: 30 * time.Second}, keys: keys, say: os.Stdout}
	f, err := p.partnersWork(ctx)
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

// partnership is what one run made.
type partnership struct {
	Bank        string  `json:"bank"`
	Application string  `json:"application"`
	State       string  `json:"state"`
	Monthly     string  `json:"monthly"`
	RIB         bool    `json:"rib"` // it arrived, and took no account's place
	PaidOut     bool    `json:"paid_out"`
	Insurance   insured `json:"insurance"`
	Violations  int     `json:"violations"`
}

// A cooperation is a bank and the members that it works with.
type cooperation struct {
	*player
	f       *partnership
	mark    string
	key     string // the bank's
	product string
	shops   []*shop
	applied applicationNow
}

// applicationNow is an application, as the play looks at it.
type applicationNow struct {
	ID, State, RIB, Account string
	Agree                   struct {
		Text   map[string]string
		Digest string
	}
	Consents []struct{ ID string }
	Offer    struct{ Monthly, Total moneyView }
}

// A partnerStep is a part of the play.
type partnerStep struct {
	what string
	play func(c *cooperation, ctx context.Context) error // a method of the cooperation
}

// partnerSteps are all, in their order.
var partnerSteps = []partnerStep{
	{"a bank joins", (*cooperation).bankJoins},
	{"members join", (*cooperation).membersJoin},
	{"a member applies", (*cooperation).memberApplies},
	{"the bank answers", (*cooperation).bankAnswers},
	{"the member chooses", (*cooperation).memberChooses},
	{"the bank pays", (*cooperation).bankPays},
	{"an insurer insures", (*cooperation).insurerInsures},
}

// partnersWork plays it: a bank joins and publishes a loan, a member applies with its
// papers, the bank asks, offers and grants, the RIB arrives; what the member sells
// meanwhile is paid out through the bank; and an insurer insures another, and settles
// its claim.
func (p *player) partnersWork(ctx context.Context) (f partnership, err error) {
	c := &cooperation{player: p, f: &f, mark: strings.ToLower(rand.Text()[:6])}
	for _, s := range partnerSteps {
		if err := s.play(c, ctx); err != nil {
			return f, fmt.Errorf("%s: %w", s.what, err)
		}
	}
	f.Violations, err = p.violations(ctx)
	p.step("violations: %d", f.Violations)
	return f, err
}

// insurerInsures has a cooperative that has sold something take an insurance, and
// be paid what it claims.
func (c *cooperation) insurerInsures(ctx context.Context) error {
	member, err := c.hasSold(ctx)
	if err != nil {
		return err
	}
	c.f.Insurance, err = c.insures(ctx, member)
	return err
}

// bankJoins writes a bank down, whose first key two people give it, and has it
// publish a loan.
func (c *cooperation) bankJoins(ctx context.Context) error {
	one, two := c.keys.Operator.APIKey, c.keys.SecondOperator.APIKey
	var org struct{ ID string }
	if err := c.post(ctx, one, "/v1/organisations", map[string]any{
		"kind": "operational_bank", "names": map[string]string{"fr": "Banque " + c.mark + " (exemple)", "ar": "بنك (مثال)"}, "region": "MA-06", "commune": "Casablanca",
	}, &org); err != nil {
		return err
	}
	c.f.Bank = org.ID
	if err := c.admit(ctx, org.ID); err != nil {
		return err
	}
	var key struct {
		APIKey   string `json:"api_key"`
		Approval string `json:"approval"`
	}
	if err := c.post(ctx, one, "/v1/organisations/"+org.ID+"/api-keys", map[string]string{"label": "demonstration"}, &key); err != nil {
		return err
	}
	if key.Approval == "" {
		return errors.New("a bank's first key was given by one person")
	}
	if err := c.commit(ctx, two, "/v1/approvals/"+key.Approval, map[string]string{"decision": "approve"}, nil); err != nil {
		return err
	}
	c.key = key.APIKey
	c.step("a bank joins; its first key is given by two people")
	said := func(fr, ar, en string) map[string]string { return map[string]string{"fr": fr, "ar": ar, "en": en} }
	dh := func(amount string) map[string]string { return map[string]string{"amount": amount, "currency": "MAD"} }
	var product struct{ Product string }
	if err := c.commit(ctx, c.key, "/v1/finance/products", map[string]any{
		"kind": "loan", "names": said("Crédit atelier (exemple)", "قرض الورشة (مثال)", "Workshop loan (example)"),
		"terms":    said("Remboursé chaque mois. Sans frais cachés.", "يسدد كل شهر. دون مصاريف خفية.", "Repaid each month. No hidden fees."),
		"sections": []string{"identity", "financial"}, "least": dh("5000.00"), "most": dh("100000.00"), "shortest": 6, "longest": 60, "rate": "6.5",
	}, &product); err != nil {
		return err
	}
	c.product = product.Product
	at := "/v1/finance/products/" + c.product
	if err := c.commit(ctx, c.key, at+"/submit", nil, nil); err != nil {
		return err
	}
	if err := c.commit(ctx, one, at+"/publish", map[string]int{"version": 1}, nil); err != nil {
		return err
	}
	c.step("it describes a loan in three languages; the market's people read it, and members see it")
	return nil
}

// membersJoin has two cooperatives join, who sell.
func (c *cooperation) membersJoin(ctx context.Context) error {
	c.shops = []*shop{{name: "Coopérative Alpha " + c.mark + " (exemple)"}, {name: "Coopérative Bêta " + c.mark + " (exemple)"}}
	for i, s := range c.shops {
		if err := c.enrol(ctx, s, i); err != nil {
			return err
		}
		if err := c.reached(ctx, s, i); err != nil {
			return err
		}
		if err := c.stock(ctx, s, c.mark, i); err != nil {
			return err
		}
	}
	return nil
}

func (c *cooperation) does(ctx context.Context, key, step string, in any) error {
	return c.commit(ctx, key, "/v1/finance/applications/"+c.applied.ID+"/"+step, in, &c.applied)
}

// memberApplies puts accounts into the dossier, and applies with a consent to see
// them for 90 days.
func (c *cooperation) memberApplies(ctx context.Context) error {
	s := c.shops[0]
	if err := c.commit(ctx, s.key, "/v1/organisations/"+s.org+"/dossier", map[string]any{
		"section": "financial", "title": "bilan", "form": map[string]any{"ventes": "48200.00", "charges": "31500.00"},
	}, nil); err != nil {
		return err
	}
	if err := c.commit(ctx, s.key, "/v1/finance/applications", map[string]any{
		"product": c.product, "amount": map[string]string{"amount": "20000.00", "currency": "MAD"}, "months": 24, "purpose": "Un métier à tisser (exemple).",
		"sections": []string{"identity", "financial"}, "days": 90,
	}, &c.applied); err != nil {
		return err
	}
	c.f.Application = c.applied.ID
	c.step("before it leaves, the member reads: «%s»", c.applied.Agree.Text["fr"])
	return c.does(ctx, s.key, "submit", map[string]string{"digest": c.applied.Agree.Digest})
}

// bankAnswers has the bank read the papers, ask for something and offer.
func (c *cooperation) bankAnswers(ctx context.Context) error {
	s := c.shops[0]
	if err := c.does(ctx, c.key, "review", nil); err != nil {
		return err
	}
	if err := c.get(ctx, c.key, "/v1/dossiers/"+s.org+"?consent="+c.applied.Consents[0].ID, nil); err != nil {
		return err
	}
	var log struct {
		Data []struct{ Said map[string]string }
	}
	if err := c.get(ctx, s.key, "/v1/organisations/"+s.org+"/consultations", &log); err != nil {
		return err
	}
	if len(log.Data) != 1 {
		return fmt.Errorf("the member sees %d readings of its papers, want 1", len(log.Data))
	}
	c.step("who looked: «%s»", log.Data[0].Said["fr"])
	if err := c.does(ctx, c.key, "ask", map[string]string{"text": "Combien avez-vous vendu l’an dernier ?"}); err != nil {
		return err
	}
	if err := c.does(ctx, s.key, "answer", map[string]string{"text": "48 200 DH, surtout en hiver."}); err != nil {
		return err
	}
	now, err := c.now(ctx)
	if err != nil {
		return err
	}
	if err := c.does(ctx, c.key, "offer", map[string]any{
		"amount": map[string]string{"amount": "20000.00", "currency": "MAD"}, "rate": "7.25", "months": 24, "fees": map[string]string{"amount": "150.00", "currency": "MAD"},
		"terms": "Première mensualité dans deux mois.", "valid_until": now.Add(30 * 24 * time.Hour).UTC().Format(time.RFC3339),
	}); err != nil {
		return err
	}
	c.f.Monthly = c.applied.Offer.Monthly.Amount()
	c.step("the bank asks, is answered, and offers: %s DH a month, %s in all", c.applied.Offer.Monthly.Amount(), c.applied.Offer.Total.Amount())
	return nil
}

// memberChooses has the member accept, and the bank grant the loan with its RIB.
func (c *cooperation) memberChooses(ctx context.Context) error {
	s := c.shops[0]
	if err := c.does(ctx, s.key, "accept", nil); err != nil {
		return err
	}
	rib := number(24, 97)
	if err := c.does(ctx, c.key, "complete", map[string]string{"rib": rib, "holder": s.name}); err != nil {
		return err
	}
	if err := c.get(ctx, s.key, "/v1/finance/applications/"+c.applied.ID, &c.applied); err != nil {
		return err
	}
	c.f.State, c.f.RIB = c.applied.State, c.applied.RIB == rib && c.applied.Account == ""
	if !c.f.RIB {
		return fmt.Errorf("the member sees the RIB %q, and the account %q that took a place", c.applied.RIB, c.applied.Account)
	}
	c.step("the member accepts and receives its RIB; it is still paid where it was")
	return nil
}

// bankPays sells something, and has what it earned paid out by the market's bank.
func (c *cooperation) bankPays(ctx context.Context) error {
	group, charge, err := c.buy(ctx, c.shops)
	if err != nil {
		return err
	}
	if err := c.deliver(ctx, c.shops, group); err != nil {
		return err
	}
	if err := c.payOut(ctx, c.shops, charge); err != nil {
		return err
	}
	c.f.PaidOut = true
	return nil
}
