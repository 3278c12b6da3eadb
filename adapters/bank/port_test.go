package bank_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// shelf is a bank that keeps files in memory.
type shelf struct{ files map[string]string }

func (s *shelf) Render(b bank.Batch) (bank.File, error) {
	return bank.File{Name: b.ID + ".xml", Bytes: []byte(b.ID)}, nil
}

func (s *shelf) Publish(_ context.Context, f bank.File) outbound.Result {
	s.files[f.Name] = string(f.Bytes)
	return outbound.Result{Outcome: outbound.Accepted}
}

func (s *shelf) Find(_ context.Context, f bank.File) outbound.Result {
	if _, ok := s.files[f.Name]; ok {
		return outbound.Result{Outcome: outbound.Accepted}
	}
	return outbound.Result{Outcome: outbound.NotFound}
}

var errShelf = errors.New("the shelf is empty")

func (s *shelf) Waiting(context.Context) ([]bank.Received, error) { return nil, errShelf }
func (s *shelf) Archive(context.Context, bank.Received) error     { return nil }
func (s *shelf) Read(r bank.Received) (bank.Message, error) {
	st := statement()
	if r.Name == "unbalanced" {
		st.Closing = mad("0.00")
	}
	return bank.Message{ID: "m", Statements: []bank.Statement{st}}, nil
}

func batch() bank.Batch {
	day := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	return bank.Batch{
		ID: "fil_1", Created: day, Execute: day, From: bank.Account{RIB: good[0], Name: "Compte de cantonnement", BIC: "BMCEMAMC"},
		Transfers: []bank.Transfer{{Ref: "pay_1", Amount: mad("12.50"), To: bank.Account{RIB: good[1], Name: "تعاونية أركان"}, Info: "ord_1"}},
	}
}

func TestOnlyWhatABankCanTakeIsRendered(t *testing.T) {
	t.Parallel()
	b := bank.New("bank", &shelf{}, bank.Options{})
	if f, err := b.Render(batch()); err != nil || f.Name != "fil_1.xml" {
		t.Fatalf("Render = %+v, %v", f, err)
	}
	for pointer, spoil := range map[string]func(*bank.Batch){
		"/id":                  func(b *bank.Batch) { b.ID = strings.Repeat("x", 36) },
		"/execute":             func(b *bank.Batch) { b.Execute = time.Time{} },
		"/from/rib":            func(b *bank.Batch) { b.From.RIB = "011519000001205000534922" },
		"/from/bic":            func(b *bank.Batch) { b.From.BIC = "bmce" },
		"/transfers":           func(b *bank.Batch) { b.Transfers = nil },
		"/transfers/0/ref":     func(b *bank.Batch) { b.Transfers[0].Ref = "pay/1" },
		"/transfers/1/ref":     func(b *bank.Batch) { b.Transfers = append(b.Transfers, b.Transfers[0]) },
		"/transfers/0/amount":  func(b *bank.Batch) { b.Transfers[0].Amount = money.FromCentimes(1, "EUR") },
		"/transfers/0/to/rib":  func(b *bank.Batch) { b.Transfers[0].To.RIB = "" },
		"/transfers/0/to/name": func(b *bank.Batch) { b.Transfers[0].To.Name = "漢字" },
		"/transfers/0/info":    func(b *bank.Batch) { b.Transfers[0].Info = strings.Repeat("x", 1001) },
	} {
		in := batch()
		spoil(&in)
		_, err := b.Render(in)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || !errors.Is(err, bank.ErrInvalid) || len(f.Details) != 1 || f.Details[0].Pointer != pointer {
			t.Errorf("%s: %v", pointer, err)
		}
	}
	for _, amount := range []string{"0.00", "-1.00"} {
		in := batch()
		in.Transfers[0].Amount = mad(amount)
		if _, err := b.Render(in); !errors.Is(err, bank.ErrInvalid) {
			t.Errorf("an amount of %s: %v", amount, err)
		}
	}
}

func TestUnbalancedStatementIsReadAndRefused(t *testing.T) {
	t.Parallel()
	b := bank.New("bank", &shelf{}, bank.Options{})
	if _, err := b.Read(bank.Received{Name: "fine"}); err != nil {
		t.Errorf("Read: %v", err)
	}
	m, err := b.Read(bank.Received{Name: "unbalanced"})
	if !errors.Is(err, bank.ErrUnbalanced) || len(m.Statements) != 1 {
		t.Errorf("Read = %d statements, %v; want one and ErrUnbalanced", len(m.Statements), err)
	}
}

func TestCallsPassTheLanes(t *testing.T) {
	t.Parallel()
	b := bank.New("bank", &shelf{map[string]string{}}, bank.Options{Query: outbound.Settings{Consecutive: 2}})
	f, err := b.Render(batch())
	if err != nil {
		t.Fatal(err)
	}
	if r := b.Find(t.Context(), f); r.Outcome != outbound.NotFound {
		t.Errorf("Find before = %+v", r)
	}
	if r := b.Publish(t.Context(), f); r.Outcome != outbound.Accepted {
		t.Errorf("Publish = %+v", r)
	}
	if r := b.Find(t.Context(), f); r.Outcome != outbound.Accepted {
		t.Errorf("Find after = %+v", r)
	}
	for range 2 {
		if _, err := b.Waiting(t.Context()); !errors.Is(err, errShelf) {
			t.Errorf("Waiting: %v, want the driver's error", err)
		}
	}
	if err := b.Archive(t.Context(), bank.Received{}); err == nil {
		t.Error("the lane let a call through an open breaker")
	}
	lanes := b.Lanes()
	if lanes[0].Class != outbound.File || lanes[0].Breaker != "closed" || lanes[1].Breaker != "open" || lanes[1].Partner != "bank" {
		t.Errorf("lanes = %+v", lanes)
	}
}
