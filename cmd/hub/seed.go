package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"

	"tiwiza/cmd/hub/demo"
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

type seedCmd struct {
	Addr    string `help:"Where the hub will listen." env:"HUB_ADDR" default:"127.0.0.1:8080"`
	SimAddr string `help:"Where the stand-in partners answer." env:"HUBSIM_ADDR" default:"127.0.0.1:8090"`
}

// Run seeds a database whose hub is not running.
func (c seedCmd) Run(ctx context.Context, s *Settings) error {
	return s.with(ctx, func(h *house) error {
		_, err := h.seed(ctx, s.DataDir+"/"+demoFile, demoAddresses{"http://" + c.Addr, "http://" + c.SimAddr})
		return err
	})
}

// market is what the demonstration's database remembers of its seeding.
type market struct {
	Operators []string `json:"operators"` // persons
	Buyer     string   `json:"buyer"`
	Bank      string   `json:"bank"`
	Insurer   string   `json:"insurer"`
	Sellers   []seeded `json:"sellers"`
}

type seeded struct {
	Key          string `json:"key"` // in cooperatives.csv
	Organisation string `json:"organisation"`
}

// seed fills an empty market, or finds the one that is there, and writes
// demo.json. It may be run again, and by two hubs at once: what is there stays.
func (h *house) seed(ctx context.Context, path string, at demoAddresses) (demoKeys, error) {
	ctx = auth.With(ctx, auth.Principal{Subject: "hub", Role: auth.Operator})
	var m market
	fresh := false
	err := h.store.InTx(ctx, func(tx *pg.Tx) (err error) {
		if m, err = loadNote[market](ctx, tx, "demo"); err == nil || !errors.Is(err, errNoNote) {
			return err
		}
		fresh = true
		if m, err = h.found(ctx, tx); err != nil {
			return err
		}
		return saveNote(tx, "demo", m)
	})
	if err != nil {
		return demoKeys{}, err
	}
	if err := h.people(ctx, m); err != nil {
		return demoKeys{}, err
	}
	if err := h.offers(ctx, m); err != nil {
		return demoKeys{}, err
	}
	offices, err := h.institutions(ctx)
	if err != nil {
		return demoKeys{}, err
	}
	if fresh {
		slog.InfoContext(ctx, "the demonstration market is seeded", "cooperatives", len(m.Sellers))
	}
	return h.keys(ctx, path, m, offices, at)
}

// found enrols everybody and puts the operator's own money in the books.
func (h *house) found(ctx context.Context, tx *pg.Tx) (m market, err error) {
	for _, n := range []string{"1", "2"} {
		p, err := h.members.CreatePerson(ctx, tx, members.NewPerson{Names: members.Texts{"fr": "Opérateur de démonstration " + n, "ar": "مشغل تجريبي " + n}})
		if err != nil {
			return m, err
		}
		m.Operators = append(m.Operators, p)
	}
	if m.Buyer, err = h.members.CreatePerson(ctx, tx, members.NewPerson{Names: members.Texts{"fr": "Acheteur de démonstration", "ar": "مشتر تجريبي"}}); err != nil {
		return m, err
	}
	for to, e := range map[*string]members.Enrolment{
		&m.Bank:    {Kind: "operational_bank", Names: members.Texts{"fr": "Banque exemple", "ar": "بنك مثال"}, Region: "MA-06", Commune: "Casablanca"},
		&m.Insurer: {Kind: "insurer", Names: members.Texts{"fr": "Assurance exemple", "ar": "تأمين مثال"}, Region: "MA-06", Commune: "Casablanca"},
	} {
		o, err := h.members.Found(ctx, tx, e)
		if err != nil {
			return m, err
		}
		*to = o.ID
	}
	rows, err := readCSV("cooperatives.csv")
	if err != nil {
		return m, err
	}
	for _, r := range rows {
		o, err := h.cooperative(ctx, tx, r, m.Operators)
		if err != nil {
			return m, fmt.Errorf("cooperative %s: %w", r["key"], err)
		}
		m.Sellers = append(m.Sellers, seeded{r["key"], o})
	}
	return m, h.books.Post(ctx, tx, ledger.Transfer{
		Key: "capital:first", Kind: "capital", Currency: money.MAD,
		Legs: []ledger.Leg{ledger.Debit(ledger.Operating(bankName), 100_000_00), ledger.Credit(ledger.Capital, 100_000_00)},
	})
}

func (h *house) cooperative(ctx context.Context, tx *pg.Tx, r map[string]string, operators []string) (string, error) {
	lat, err := strconv.ParseFloat(r["lat"], 64)
	if err != nil {
		return "", err
	}
	lng, err := strconv.ParseFloat(r["lng"], 64)
	if err != nil {
		return "", err
	}
	o, err := h.members.Enrol(ctx, tx, members.Enrolment{
		Kind:   members.Kind(r["kind"]),
		Names:  members.Texts{"fr": r["name_fr"], "ar": r["name_ar"], "en": r["name_en"]},
		Legal:  &members.Legal{ICE: r["ice"]},
		Story:  members.Texts{"fr": r["story_fr"], "ar": r["story_ar"]},
		Region: r["region"], Commune: r["commune"], Point: &members.Point{Lat: lat, Lng: lng},
	})
	if err != nil {
		return "", err
	}
	for _, move := range []members.Move{members.Submit, members.Approve} {
		if _, err := h.members.Move(ctx, tx, o.ID, move, ""); err != nil {
			return "", err
		}
	}
	for _, person := range operators { // the second verifies what the first gives
		as := auth.With(ctx, auth.Principal{Subject: person, Role: auth.Operator})
		if _, err := h.members.AddAccount(as, tx, o.ID, r["rib"], r["name_fr"]); err != nil {
			return "", err
		}
	}
	return o.ID, nil
}

// offers imports each cooperative's part of offers.csv, as it would itself.
// Once all are in, it is left alone: what members change stays changed.
func (h *house) offers(ctx context.Context, m market) error {
	if _, err := loadNote[bool](ctx, h.store, "demo.offers"); err == nil || !errors.Is(err, errNoNote) {
		return err
	}
	b, err := fs.ReadFile(demo.Files, "offers.csv")
	if err != nil {
		return err
	}
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return fmt.Errorf("offers.csv: %w", err)
	}
	// First of all, so that the market opens on goods.
	if err := h.booklet(ctx, m.Sellers[0].Organisation); err != nil {
		return fmt.Errorf("the booklet: %w", err)
	}
	for _, s := range m.Sellers {
		var part bytes.Buffer
		w := csv.NewWriter(&part)
		_ = w.Write(records[0]) // a buffer takes everything; Flush is checked below
		for _, r := range records[1:] {
			if r[0] == s.Key {
				_ = w.Write(r)
			}
		}
		if w.Flush(); w.Error() != nil {
			return w.Error()
		}
		report, err := h.catalog.Import(ctx, catalog.ImportInput{Seller: s.Organisation, File: rest.File{Name: "offers.csv", ContentType: "text/csv", Bytes: part.Bytes()}})
		if err != nil {
			return fmt.Errorf("import the offers of %s: %w", s.Key, err)
		}
		for _, r := range report.Rejected {
			return fmt.Errorf("offers.csv of %s, row %d %s: %s", s.Key, r.Row, r.Pointer, r.Detail)
		}
	}
	if err := h.vouch(auth.With(ctx, auth.Principal{Subject: m.Operators[0], Role: auth.Operator})); err != nil {
		return err
	}
	return h.store.InTx(ctx, func(tx *pg.Tx) error { return saveNote(tx, "demo.offers", true) })
}

// vouch looks at what the cooperatives claim, as a moderator would: labels become
// badges, and what they say of their goods is read.
func (h *house) vouch(ctx context.Context) error {
	most := rest.Paging{Limit: 100}
	for {
		claims, err := h.catalog.ListLabels(ctx, catalog.LabelsInput{State: string(catalog.Claimed), Paging: most})
		if err != nil {
			return err
		}
		for _, l := range claims.Data {
			if _, err := h.catalog.VerifyLabel(ctx, catalog.VerifyInput{Label: l.ID, Evidence: "Demonstration: no register was asked."}); err != nil {
				return fmt.Errorf("verify %s %s: %w", l.Code, l.Number, err)
			}
		}
		asked, err := h.catalog.ListChanges(ctx, catalog.ChangesInput{State: string(catalog.Open), Paging: most})
		if err != nil {
			return err
		}
		for _, c := range asked.Data {
			if _, err := h.catalog.ApproveChange(ctx, catalog.ChangeID{Change: c.ID}); err != nil {
				return err
			}
		}
		if len(claims.Data)+len(asked.Data) == 0 {
			return nil
		}
	}
}

// keys gives everybody a key, unless demo.json has ones that still open.
func (h *house) keys(ctx context.Context, path string, m market, offices []office, at demoAddresses) (demoKeys, error) {
	if k, err := readDemo(path); err == nil && len(k.Sellers) == len(m.Sellers) && len(k.Institutions) == len(offices) && h.opens(ctx, k.Operator.APIKey) {
		if k.demoAddresses != at || k.Buyer.Phone == "" {
			k.demoAddresses = at
			k.phones()
			return k, k.write(path)
		}
		return k, nil
	}
	k := demoKeys{demoAddresses: at}
	err := h.store.InTx(ctx, func(tx *pg.Tx) (err error) {
		make := func(subject string, role auth.Role) (key demoKey) {
			if err == nil {
				var made auth.Key
				made, err = h.members.CreateKey(ctx, tx, subject, role, "demonstration")
				key.APIKey = made.String()
			}
			return key
		}
		k.Operator, k.SecondOperator = make(m.Operators[0], auth.Operator), make(m.Operators[1], auth.Operator)
		k.Buyer, k.Bank, k.Insurer = make(m.Buyer, auth.Buyer), make(m.Bank, auth.Bank), make(m.Insurer, auth.Insurer)
		k.Sellers, k.Institutions = nil, nil
		for _, s := range m.Sellers {
			k.Sellers = append(k.Sellers, demoSeller{Organisation: s.Organisation, APIKey: make(s.Organisation, auth.Seller).APIKey})
		}
		for n, o := range offices {
			k.Institutions = append(k.Institutions, demoOffice{Organisation: o.Organisation, APIKey: make(o.Organisation, auth.Institution).APIKey, Phone: phoneOffice(n), Procedures: o.Procedures})
		}
		return err
	})
	if err != nil {
		return k, err
	}
	k.phones()
	return k, k.write(path)
}

func (h *house) opens(ctx context.Context, key string) bool {
	k, err := auth.ParseKey(key)
	if err != nil {
		return false
	}
	_, err = h.members.Authenticate(ctx, k)
	return err == nil
}

// readCSV reads an embedded table as one map a row.
func readCSV(name string) ([]map[string]string, error) {
	b, err := fs.ReadFile(demo.Files, name)
	if err != nil {
		return nil, err
	}
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var rows []map[string]string
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, h := range records[0] {
			row[h] = r[i]
		}
		rows = append(rows, row)
	}
	return rows, nil
}
