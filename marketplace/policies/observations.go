package policies

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"tiwiza/adapters/insurance"
	"tiwiza/payments/files"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// An Observation is one value of an index that its source signed.
type Observation struct {
	ID        string
	Ref       string
	Policy    string
	Index     string
	Source    string
	Place     string
	Period    string
	Value     string
	Signature string
	State     string // entered, told or refused
	Why       string
	Claim     string
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$`)

// signed is what a source signs.
func (o Observation) signed() []byte {
	return []byte(strings.Join([]string{o.Index, o.Source, o.Place, o.Period, o.Value}, "|"))
}

// Enter writes down a source of indices with its public key; from then on its
// signatures hold. The operator calls it.
func (s *Service) Enter(ctx context.Context, tx *pg.Tx, in SourceInput) (v SourceView, err error) {
	if in.Name = strings.TrimSpace(in.Name); in.Name == "" || strings.ContainsAny(in.Name, "|\r\n") {
		return v, ErrInvalid.At("/name", "The source's name in one line, as products write it.")
	}
	key, err := base64.StdEncoding.DecodeString(in.Key)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return v, ErrInvalid.At("/key", "An Ed25519 public key: 32 bytes in base64.")
	}
	insertSource(tx, in.Name, key, auth.From(ctx).Person(), tx.Now())
	audit.Record(tx, "insurance.source", in.Name, authz.Policy(ctx), map[string]string{"key": in.Key})
	return SourceView(in), nil
}

// Observe enters a value of an index that a policy pays by. Its source's signature
// must hold. The insurer says whether anything is due, and that becomes a claim.
func (s *Service) Observe(ctx context.Context, tx *pg.Tx, in ObserveInput) (v ObservationView, err error) {
	p, err := lockPolicy(ctx, tx, in.Policy)
	if err != nil {
		return v, err
	}
	d, err := loadProduct(ctx, tx, p.Product)
	if err != nil {
		return v, err
	}
	t := d.Doc.Trigger
	if t == nil {
		return v, ErrState.Say("This policy does not pay by an index.")
	}
	if !p.Holds() {
		return v, ErrState.Say("This policy is %s.", p.State)
	}
	wrong := ErrInvalid
	if in.Index != t.Index {
		wrong = wrong.At("/index", "The index of the policy: "+t.Index+".")
	}
	if in.Source != t.Source {
		wrong = wrong.At("/source", "The source of the policy: "+t.Source+".")
	}
	if !decimal.MatchString(in.Value) {
		wrong = wrong.At("/value", "A number, as 12.5.")
	}
	if len(wrong.Details) > 0 {
		return v, wrong
	}
	key, err := sourceKey(ctx, tx, in.Source)
	if errors.Is(err, ErrNotFound) {
		return v, ErrInvalid.At("/source", "No key of this source was entered.")
	}
	if err != nil {
		return v, err
	}
	o := Observation{ID: id.New(id.Observation), Policy: p.ID, Index: in.Index, Source: in.Source, Place: in.Place, Period: in.Period, Value: in.Value, Signature: in.Signature, State: "entered"}
	o.Ref = files.RefOf(o.ID)
	sig, err := base64.StdEncoding.DecodeString(in.Signature)
	if err != nil || !ed25519.Verify(key, o.signed(), sig) {
		return v, ErrSigned.At("/signature", "The source's Ed25519 signature of index|source|place|period|value, in base64.")
	}
	insertObservation(tx, o, auth.From(ctx).Person(), tx.Now())
	s.send(tx, p.Insurer, errandObserve, o.ID)
	audit.Record(tx, "insurance.observe", o.ID, authz.Policy(ctx), map[string]string{"policy": p.ID, "index": o.Index, "period": o.Period, "value": o.Value, "source": o.Source})
	return o.view(), nil
}

// observeThere tells an insurer of a value. When it makes something due, that is a
// claim from then on.
func (s *Service) observeThere(ctx context.Context, i Insurer, observation string) (bool, error) {
	o, err := loadObservation(ctx, s.db, observation)
	if err != nil || o.State != "entered" {
		return true, err
	}
	p, err := loadPolicy(ctx, s.db, o.Policy)
	if err != nil {
		return true, err
	}
	said, r := i.Observe(ctx, insurance.Observation{
		Ref: o.Ref, Policy: p.PartnerID, Index: o.Index, Source: o.Source, Place: o.Place, Period: o.Period, Value: o.Value, Signature: o.Signature,
	})
	if !done(r) && r.Outcome != outbound.Declined {
		return false, nil
	}
	return true, s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, err := lockObservation(ctx, tx, observation)
		if err != nil || o.State != "entered" {
			return err
		}
		if r.Outcome == outbound.Declined {
			o.State, o.Why = "refused", r.Say()
			saveObservation(tx, o)
			return nil
		}
		o.State = "told"
		if said.ID == "" {
			saveObservation(tx, o)
			return nil
		}
		now := tx.Now()
		amount := said.Amount.Centimes()
		if said.Amount.Currency() != p.Currency || amount <= 0 || amount > p.SumInsured {
			o.Why = "the insurer's amount was not right"
			saveObservation(tx, o)
			return s.gap(ctx, tx, Gap{
				Insurer: p.Insurer, Kind: "claim_sum", Ref: o.Ref, Subject: o.ID, Theirs: centimes(said.Amount),
				Detail: fmt.Sprintf("%s would be paid by the index, under a policy for %s.", said.Amount, p.money(p.SumInsured)), Suggestion: "Ask the insurer what is due.",
			})
		}
		c := Claim{
			ID: id.New(id.Claim), Ref: o.Ref, Policy: p.ID, Insurer: p.Insurer, Member: p.Member, EventAt: now, Kind: "index", Description: o.Index + " " + o.Place + " " + o.Period + " = " + o.Value,
			Amount: amount, Currency: p.Currency, Observation: o.ID, State: insurance.ClaimNotified, Asks: []string{}, Told: 1, Filed: 1, AnswerBy: now.Add(answerWithin), MadeBy: "index " + o.Source, MadeAt: now, Version: 1,
		}
		o.Claim = c.ID
		saveObservation(tx, o)
		insertClaim(tx, c)
		job.Set(tx, timerAnswer, c.ID, c.AnswerBy)
		job.Set(tx, timerAsk, c.ID, now.Add(s.Every))
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		if err := tx.Publish(ctx, c.moved()); err != nil {
			return err
		}
		_, err = s.hear(ctx, tx, c, said, 0)
		return err
	})
}
