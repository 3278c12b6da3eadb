package certify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/strict"
)

// sent is a batch that was made, and what it should come to.
type sent struct {
	id     string
	file   bank.File
	pays   []bank.Transfer
	counts bool // it was taken in, so it must be paid
}

// batch makes a batch of this case.
func (r *runner) batch(s batchStep) error {
	var amounts []money.Money
	for _, text := range s.Payments {
		m, err := money.Parse(text, money.MAD)
		if err != nil {
			return err
		}
		amounts = append(amounts, m)
	}
	b, err := r.make(amounts, s.From)
	if err != nil {
		return err
	}
	if change, ok := (map[string][2]string{
		"count": {`"count":`, `"count":1`},
		"total": {`"total":{"amount":"`, `"total":{"amount":"1`},
		"rib":   {`"rib":"` + r.o.To, `"rib":"` + strings.Repeat("1", 24)},
	})[s.Wrong]; ok {
		b.file.Bytes = []byte(strings.Replace(string(b.file.Bytes), change[0], change[1], 1))
	}
	r.batches[s.As] = b
	return nil
}

// make makes a batch as the hub makes one.
func (r *runner) make(amounts []money.Money, from string) (*sent, error) {
	if from == "" {
		from = r.o.Account
	}
	r.serial++
	now := r.o.Now().UTC()
	b := bank.Batch{ID: fmt.Sprintf("CERT%s%03d", r.run, r.serial), Created: now, Execute: now, From: bank.Account{RIB: from, Name: "Compte de cantonnement"}}
	for i, m := range amounts {
		b.Transfers = append(b.Transfers, bank.Transfer{
			Ref: fmt.Sprintf("%s-%03d", b.ID, i), Amount: m, To: bank.Account{RIB: r.o.To, Name: "Cooperative exemple"}, Info: "certify",
		})
	}
	f, err := r.hub.Render(b)
	if err != nil {
		return nil, fmt.Errorf("make a batch: %w", explained(err))
	}
	out := &sent{id: b.ID, file: f, pays: b.Transfers}
	r.all = append(r.all, out)
	return out, nil
}

// explained is an error with each place that it points at.
func explained(err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	for _, d := range f.Details {
		err = fmt.Errorf("%w; %s: %s", err, d.Pointer, d.Detail)
	}
	return err
}

// answered says what is wrong with what a connector says of a batch.
func (b *sent) answered(body []byte) error {
	var said struct{ ID, SHA256, State string }
	if err := strict.Object(body, &said); err != nil {
		return fmt.Errorf("the answer about a batch: %w", err)
	}
	switch {
	case said.ID != b.id:
		return fmt.Errorf("the answer speaks of the batch %q, want %q", said.ID, b.id)
	case said.SHA256 != b.file.SHA256:
		return fmt.Errorf("the answer has the sha256 %q, want that of the bytes that were sent, %s", said.SHA256, b.file.SHA256)
	case !slices.Contains([]string{"received", "pending", "accepted", "partial", "settled", "rejected", "again"}, said.State):
		return fmt.Errorf("the state %q is not one of the protocol's", said.State)
	}
	return nil
}

// many makes and sends batches of amounts that nobody chose.
func (r *runner) many(ctx context.Context, s randomStep) error {
	for range s.Batches {
		var amounts []money.Money
		for range s.Payments {
			amounts = append(amounts, money.Dirhams(int64(1+r.random.IntN(500_00))))
		}
		b, err := r.make(amounts, "")
		if err != nil {
			return err
		}
		a, err := r.call(ctx, http.MethodPost, "/bank/v1/batches", b.id, "", b.file.Bytes)
		if err != nil { // an amount that ends in .03 was among them
			a, err = r.call(ctx, http.MethodPost, "/bank/v1/batches", b.id, "", b.file.Bytes)
		}
		if err != nil {
			return err
		}
		if err := is("a batch of "+fmt.Sprint(s.Payments), a, []int{200, 201}, ""); err != nil {
			return err
		}
		b.counts = true
	}
	return nil
}

// read fetches all that waits, understands it and acknowledges it, until nothing
// waits any more.
func (r *runner) read(ctx context.Context, s readStep) error {
	for range 1000 {
		waiting, err := r.hub.Waiting(ctx)
		if err != nil {
			return fmt.Errorf("fetch the messages: %w", err)
		}
		if len(waiting) == 0 {
			return nil
		}
		for _, w := range waiting {
			if s.None {
				return fmt.Errorf("the message %s waits, and nothing has happened", w.Name)
			}
			if r.known[w.Name] != "" {
				return fmt.Errorf("the message %s was acknowledged and waits again", w.Name)
			}
			m, err := r.hub.Read(w)
			if err != nil {
				return fmt.Errorf("the message %s: %w", w.Name, explained(err))
			}
			r.messages = append(r.messages, m)
			if err := r.hub.Archive(ctx, w); err != nil {
				return fmt.Errorf("acknowledge %s: %w", w.Name, err)
			}
			if err := r.hub.Archive(ctx, w); err != nil {
				return fmt.Errorf("acknowledge %s again: %w", w.Name, err)
			}
			r.known[w.Name] = w.SHA256
		}
	}
	return errors.New("the messages never end")
}

// report looks for the last word on a payment.
func (r *runner) report(s reportStep) error {
	b := r.batches[s.Batch]
	var last *bank.Item
	for _, m := range r.messages {
		if m.Report != nil && m.Report.OriginalID == b.id {
			item := m.Report.Of(b.pays[s.Payment].Ref)
			last = &item
		}
	}
	switch {
	case last == nil:
		return fmt.Errorf("no report speaks of the batch %s", b.id)
	case string(last.Standing) != s.State || s.Reason != "" && last.Reason != s.Reason:
		return fmt.Errorf("the payment of %s is reported as %s %q, want %s %q", b.pays[s.Payment].Amount, last.Standing, last.Reason, s.State, s.Reason)
	}
	return nil
}

// shown are the amounts that statements show for each of our references.
func (r *runner) shown() map[string][]int64 {
	out := map[string][]int64{}
	for _, m := range r.messages {
		for _, s := range m.Statements {
			for _, e := range s.Entries {
				for _, d := range e.Details {
					if d.Ref != "" {
						out[d.Ref] = append(out[d.Ref], d.Amount.Centimes())
					}
				}
			}
		}
	}
	return out
}

// paid wants each payment of a batch on a statement, once and to the centime, and
// the excepted ones on none.
func (r *runner) paid(s paidStep) error {
	b := r.batches[s.Batch]
	for i, t := range b.pays {
		if err := once(t, r.shown()[t.Ref], !slices.Contains(s.Except, i)); err != nil {
			return err
		}
	}
	return nil
}

func once(t bank.Transfer, shown []int64, want bool) error {
	switch {
	case !want && len(shown) > 0:
		return fmt.Errorf("statements show %s of %s, which was not to be paid", t.Ref, t.Amount)
	case want && len(shown) == 0:
		return fmt.Errorf("no statement shows %s of %s", t.Ref, t.Amount)
	case want && len(shown) > 1:
		return fmt.Errorf("statements show %s of %s %d times: it was executed more than once", t.Ref, t.Amount, len(shown))
	case want && shown[0] != -t.Amount.Centimes():
		return fmt.Errorf("statements show %s with %s, want %s", t.Ref, money.Dirhams(shown[0]), t.Amount.Neg())
	}
	return nil
}

// rejected are the references that a report calls refused.
func (r *runner) rejected() map[string]bool {
	out := map[string]bool{}
	for _, m := range r.messages {
		if m.Report == nil {
			continue
		}
		for _, i := range m.Report.Items {
			out[i.Ref] = i.Standing == bank.Rejected
		}
	}
	return out
}

// reconcile compares all that was ever sent with all statements.
func (r *runner) reconcile() error {
	shown, refused := r.shown(), r.rejected()
	for _, b := range r.all {
		for _, t := range b.pays {
			if err := once(t, shown[t.Ref], b.counts && !refused[t.Ref]); err != nil {
				return err
			}
			delete(shown, t.Ref)
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(shown)) {
		if strings.HasPrefix(ref, "CERT"+r.run) {
			return fmt.Errorf("statements show %s, which we never sent", ref)
		}
	}
	return r.chained()
}

// chained wants an account's statements to follow each other: number by number,
// each opening with the closing balance before it.
func (r *runner) chained() error {
	last := map[string]bank.Statement{}
	for _, m := range r.messages {
		for _, s := range m.Statements {
			before, ok := last[s.Account]
			switch {
			case ok && s.Sequence != before.Sequence+1:
				return fmt.Errorf("the statement %s has the number %d, and the one before it %d", s.ID, s.Sequence, before.Sequence)
			case ok && !s.Opening.Equal(before.Closing):
				return fmt.Errorf("the statement %s opens with %s, and the one before it closed with %s", s.ID, s.Opening, before.Closing)
			}
			last[s.Account] = s
		}
	}
	if len(last) == 0 {
		return errors.New("there was no statement at all")
	}
	return nil
}
