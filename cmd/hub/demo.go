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

	"tiwiza/pkg/money"
)

type demoCmd struct {
	Play     playCmd         `cmd:"" default:"1" help:"Play the main job and the other ways that money takes, against the hub at work here."`
	Members  demoMembersCmd  `cmd:"" help:"Play how somebody joins the market with an agent's help, is registered and labelled by institutions, and shares its accounts with a bank, against the hub at work here."`
	Partners demoPartnersCmd `cmd:"" help:"Play how a bank joins, answers a member's application for a loan, and pays, and how an insurer quotes, binds and settles a claim, against the hub at work here."`
	Day      dayCmd          `cmd:"" help:"Play scripted days on a hub of its own, and say where each centime is."`
}

type playCmd struct{}

// Run plays once and prints its figures as a line of JSON.
func (playCmd) Run(ctx context.Context, s *Settings) error {
	keys, err := readDemo(filepath.Join(s.DataDir, demoFile))
	if err != nil {
		return fmt.Errorf("no demonstration hub is at work here: start one with make run (%w)", err)
	}
	turn, err := takeTurns(ctx, s.DataDir)
	if err != nil {
		return err
	}
	defer turn.end()
	p := &player{client: &http.Client{Timeout: 30 * time.Second}, keys: keys, say: os.Stdout}
	f, err := p.play(ctx, turn)
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

// figures are what one run moved. Of the main job: what was charged is what was
// released, and what was released is what was paid out, kept as fees and VAT,
// and owed to the carrier. Then what went the other ways.
type figures struct {
	Orders     int    `json:"orders"`
	Charged    string `json:"charged"`
	Released   string `json:"released"`
	PaidOut    string `json:"paid_out"`
	Fees       string `json:"fees"`
	VAT        string `json:"vat"`
	Delivery   string `json:"delivery"`
	Matched    int    `json:"matched"`
	Ways       ways   `json:"ways"`
	Violations int    `json:"violations"`
}

type shop struct {
	name, org, key, rib string
	variants            []string
	order               string
	payout              string
}

type moneyView = money.Money

type orderView struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Seller struct {
		ID string `json:"id"`
	} `json:"seller"`
	Totals struct {
		Goods, Delivery, Total moneyView
	} `json:"totals"`
	Escrow struct {
		State                    string
		Held, Released, Refunded moneyView
	} `json:"escrow"`
	Case    *struct{ ID, Kind, State string }
	Refunds []struct {
		ID, State string
		Amount    moneyView
	}
	Payment  struct{ Cash *struct{ State string } }
	Delivery struct {
		Code string `json:"code"`
	} `json:"delivery"`
}

// play plays the main job and the other ways, then waits for its turn to let
// three days pass.
func (p *player) play(ctx context.Context, turn *turn) (f figures, err error) {
	mark := strings.ToLower(rand.Text()[:6])
	shops := []*shop{{name: "Coopérative Alpha " + mark + " (exemple)"}, {name: "Coopérative Bêta " + mark + " (exemple)"}}
	for i, s := range shops {
		if err := p.enrol(ctx, s, i); err != nil {
			return f, fmt.Errorf("enrol %s: %w", s.name, err)
		}
		if err := p.reached(ctx, s, i); err != nil {
			return f, fmt.Errorf("say where %s is told things: %w", s.name, err)
		}
		if err := p.stock(ctx, s, mark, i); err != nil {
			return f, fmt.Errorf("import the offers of %s: %w", s.name, err)
		}
	}
	if err := p.search(ctx, shops); err != nil {
		return f, fmt.Errorf("search: %w", err)
	}
	group, charge, err := p.buy(ctx, shops)
	if err != nil {
		return f, fmt.Errorf("buy: %w", err)
	}
	if err := p.deliver(ctx, shops, group); err != nil {
		return f, fmt.Errorf("deliver: %w", err)
	}
	if err := p.payOut(ctx, shops, charge); err != nil {
		return f, fmt.Errorf("pay out: %w", err)
	}
	if f, err = p.reckon(ctx, shops, charge); err != nil {
		return f, err
	}
	if f.Ways, err = p.otherWays(ctx, shops, mark, turn); err != nil {
		return f, err
	}
	if f.Violations, err = p.violations(ctx); err != nil {
		return f, err
	}
	p.step("what they were all told meanwhile: %s/inbox", p.keys.SimURL)
	p.step("violations: %d", f.Violations)
	return f, nil
}

// enrol has a cooperative enrolled and approved, with a key and a bank account.
func (p *player) enrol(ctx context.Context, s *shop, i int) error {
	op := p.keys.Operator.APIKey
	place := []map[string]any{
		{"region": "MA-09", "commune": "Taroudant"}, {"region": "MA-03", "commune": "Fès"}, {"region": "MA-01", "commune": "Chefchaouen"},
	}[i]
	ar := []string{"تعاونية ألفا (مثال)", "تعاونية بيتا (مثال)", "تعاونية غاما (مثال)"}[i]
	body := map[string]any{"kind": "beneficiary_coop", "names": map[string]string{"fr": s.name, "ar": ar}, "legal": map[string]string{"ice": number(15, 97)}}
	for k, v := range place {
		body[k] = v
	}
	var org struct{ ID string }
	if err := p.post(ctx, op, "/v1/organisations", body, &org); err != nil {
		return err
	}
	s.org = org.ID
	if err := p.admit(ctx, s.org); err != nil {
		return err
	}
	var key struct {
		APIKey   string `json:"api_key"`
		Approval string `json:"approval"`
	}
	if err := p.post(ctx, op, "/v1/organisations/"+s.org+"/api-keys", map[string]string{"label": "demonstration"}, &key); err != nil {
		return err
	}
	if key.Approval != "" { // a first one was made, and its answer was lost
		if err := p.commit(ctx, p.keys.SecondOperator.APIKey, "/v1/approvals/"+key.Approval, map[string]string{"decision": "approve"}, nil); err != nil {
			return err
		}
	}
	s.key = key.APIKey
	if s.rib == "" {
		s.rib = number(24, 97)
	}
	if err := p.account(ctx, s, s.rib); err != nil {
		return err
	}
	p.step("%s is enrolled and approved, with a bank account", s.name)
	return nil
}

// reached has a cooperative say at which number it is told of its orders.
func (p *player) reached(ctx context.Context, s *shop, i int) error {
	n, err := rand.Int(rand.Reader, big.NewInt(10_000))
	if err != nil {
		return err
	}
	to := fmt.Sprintf("+212600%04d0%d", n, i+1)
	if err := p.commit(ctx, s.key, "/v1/notices/settings", map[string]string{"phone": to}, nil); err != nil {
		return err
	}
	p.step("%s is told of its orders at %s", s.name, to)
	return nil
}

// account says where a cooperative is paid: one of the operator's people gives
// the account and another the same, after asking the cooperative.
func (p *player) account(ctx context.Context, s *shop, rib string) error {
	for _, op := range []demoKey{p.keys.Operator, p.keys.SecondOperator} {
		if err := p.post(ctx, op.APIKey, "/v1/organisations/"+s.org+"/bank-accounts", map[string]string{"rib": rib, "holder": s.name}, nil); err != nil {
			return err
		}
	}
	return nil
}

// number is a random number of so many digits whose last two make it divisible
// by mod, as RIB and ICE are; it begins with a bank and town that exist.
func number(digits int, mod int64) string {
	head := "00990"
	if digits == 24 {
		head = "230780"
	}
	for len(head) < digits-2 {
		n, err := rand.Int(rand.Reader, big.NewInt(10))
		if err != nil {
			panic(err) // crypto/rand does not fail
		}
		head += n.String()
	}
	if digits == 24 {
		head = head[:digits-4] + "11" // not one of the accounts that the stand-in bank plays as closed
	}
	return keyed(head, mod)
}

// keyed adds the two digits that make a number divisible by mod. A RIB's key is
// from 01 to 97.
func keyed(head string, mod int64) string {
	n, _ := new(big.Int).SetString(head+"00", 10)
	rest := new(big.Int).Mod(n, big.NewInt(mod)).Int64()
	key := mod - rest
	if len(head) == 13 {
		key %= mod
	}
	return fmt.Sprintf("%s%02d", head, key)
}

// stock imports a cooperative's catalogue: first a dry run, then in earnest.
func (p *player) stock(ctx context.Context, s *shop, mark string, i int) error {
	const head = "offer_key,category,name_fr,name_ar,name_en,description_fr,description_ar,description_en,sku,variant_fr,variant_ar,unit,weight_g,price,stock,region,commune,lat,lng,label,label_issuer,label_number,label_from,label_to,withdrawal_exempt,image\n"
	rows := []string{
		"argan-%[1]s,oils,Huile d’argane %[1]s,زيت أركان %[1]s,Argan oil %[1]s,Pressée à froid (exemple),معصور على البارد (مثال),Cold pressed (example),ARG-%[1]s,250 ml,250 مل,bottle,480,135.00,20,MA-09,Taroudant,,,,,,,,,oil-argan.svg\n" +
			"miel-%[1]s,honey,Miel de thym %[1]s,عسل الزعتر %[1]s,Thyme honey %[1]s,Récolté en montagne (exemple),من الجبل (مثال),From the mountains (example),MIE-%[1]s,500 g,500 غ,jar,720,210.00,30,MA-09,Taroudant,,,,,,,,,honey.svg\n",
		"plat-%[1]s,pottery,Plat bleu de Fès %[1]s,طبق فاسي أزرق %[1]s,Blue dish from Fez %[1]s,Peint à la main (exemple),مرسوم باليد (مثال),Hand painted (example),PLA-%[1]s,30 cm,30 سم,piece,1600,180.00,8,MA-03,Fès,,,,,,,,,plate.svg\n",
		"jben-%[1]s,dairy,Fromage frais de chèvre %[1]s,جبن الماعز الطري %[1]s,Fresh goat cheese %[1]s,Du matin (exemple),طري (مثال),Made in the morning (example),JBE-%[1]s,400 g,400 غ,piece,400,48.00,20,MA-01,Chefchaouen,,,,,,,,perishable,cheese.svg\n",
	}[i]
	csv := []byte(head + fmt.Sprintf(rows, mark))
	var report struct {
		Created  int
		Rejected []struct {
			Row             int
			Pointer, Detail string
		}
	}
	for _, dry := range []string{"true", "false"} {
		again, err := p.do(ctx, call{key: s.key, method: http.MethodPost, path: "/v1/imports?dry_run=" + dry, body: csv, contentType: "text/csv"}, &report)
		if err != nil {
			return err
		}
		if len(report.Rejected) > 0 {
			return fmt.Errorf("row %d %s: %s", report.Rejected[0].Row, report.Rejected[0].Pointer, report.Rejected[0].Detail)
		}
		if report.Created == 0 && !again {
			return errors.New("nothing was created")
		}
	}
	var list struct {
		Data []struct{ ID string }
	}
	if err := p.get(ctx, "", "/v1/offers?seller="+s.org, &list); err != nil {
		return err
	}
	for _, o := range list.Data {
		var offer struct {
			Variants []struct{ ID, SKU string }
		}
		if err := p.get(ctx, "", "/v1/offers/"+o.ID, &offer); err != nil {
			return err
		}
		for _, v := range offer.Variants {
			s.variants = append(s.variants, v.ID)
		}
	}
	if len(s.variants) == 0 {
		return errors.New("the imported offers are not on sale")
	}
	p.step("its catalogue of %d is imported from a file, after a dry run", len(s.variants))
	return nil
}

// search finds the offers as a buyer would, in French and in Arabic.
func (p *player) search(ctx context.Context, shops []*shop) error {
	for _, q := range []struct{ text, lang, org string }{{"huile d'argan", "fr", shops[0].org}, {"زيت الأركان", "ar", shops[0].org}, {"plat bleu", "fr", shops[1].org}} {
		var found struct {
			Data  []struct{ ID string }
			Total int `json:"total_estimate"`
		}
		v := url.Values{"q": {q.text}, "lang": {q.lang}, "seller": {q.org}}
		if err := p.get(ctx, "", "/v1/offers?"+v.Encode(), &found); err != nil {
			return err
		}
		if len(found.Data) == 0 {
			return fmt.Errorf("%q finds nothing", q.text)
		}
		p.step("a search for «%s» finds it", q.text)
	}
	return nil
}

// buy puts goods of both into one basket, checks out and pays by card.
func (p *player) buy(ctx context.Context, shops []*shop) (group, charge string, err error) {
	buyer := p.keys.Buyer.APIKey
	lines := map[string]int{}
	for _, s := range shops {
		for i, v := range s.variants {
			lines[v] = i + 1
		}
	}
	out, err := p.buys(ctx, purchase{buyer: buyer, way: "card", lines: lines})
	if err != nil {
		return "", "", err
	}
	for _, o := range out.Orders {
		for _, s := range shops {
			if o.Seller.ID == s.org {
				s.order = o.ID
			}
		}
	}
	p.step("a basket from both is quoted and ordered: %d orders, %s to pay", len(out.Orders), out.Charge.Amount)
	if err := p.paysBy(ctx, out, goodCard); err != nil {
		return "", "", err
	}
	err = until(ctx, "the payment to be confirmed", func() (bool, error) {
		for _, s := range shops {
			o, err := p.order(ctx, buyer, s.order)
			if err != nil {
				return false, err
			}
			if o.State == "expired" {
				return false, errors.New("the payment window is over: another demonstration moved the clock")
			}
			if o.State != "paid" || o.Escrow.State != "funded" {
				return false, nil
			}
		}
		return true, nil
	})
	p.step("the card is charged on the acquirer's own page; the money stands in %d escrows", len(shops))
	return out.Group, out.Charge.ID, err
}

func (p *player) order(ctx context.Context, key, id string) (o orderView, err error) {
	return o, p.get(ctx, key, "/v1/orders/"+id, &o)
}
