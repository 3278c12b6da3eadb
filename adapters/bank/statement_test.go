package bank_test

import (
	"errors"
	"testing"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
)

func mad(s string) money.Money { return money.MustParse(s, money.MAD) }

func statement() bank.Statement {
	return bank.Statement{
		ID: "1", Kind: bank.OfAccount, Page: 1, LastPage: true, HasBalances: true, Opening: mad("10.00"), Closing: mad("8.50"),
		Entries: []bank.Entry{{Amount: mad("1.00"), Booked: true}, {Amount: mad("-2.50"), Booked: true}, {Amount: mad("99.00")}},
	}
}

func TestBalancesMustBeExplainedByBookedEntries(t *testing.T) {
	t.Parallel()
	if err := statement().Check(); err != nil {
		t.Errorf("a good statement: %v", err)
	}
	for name, spoil := range map[string]func(*bank.Statement){
		"closing":     func(s *bank.Statement) { s.Closing = mad("8.51") },
		"opening":     func(s *bank.Statement) { s.Opening = mad("-10.00") },
		"entry":       func(s *bank.Statement) { s.Entries = s.Entries[:1] },
		"booked":      func(s *bank.Statement) { s.Entries[2].Booked = true },
		"currency":    func(s *bank.Statement) { s.Closing = money.FromCentimes(850, "EUR") },
		"foreign":     func(s *bank.Statement) { s.Entries[0].Amount = money.FromCentimes(100, "EUR") },
		"no balances": func(s *bank.Statement) { s.HasBalances = false },
	} {
		s := statement()
		if spoil(&s); !errors.Is(s.Check(), bank.ErrUnbalanced) {
			t.Errorf("%s: %v, want ErrUnbalanced", name, s.Check())
		}
	}
	n := statement()
	if n.Kind, n.HasBalances = bank.Notification, false; n.Check() != nil {
		t.Errorf("a notification has no balances to check: %v", n.Check())
	}
}

func TestReportSpeaksForWhatItDoesNotList(t *testing.T) {
	t.Parallel()
	items := []bank.Item{{Ref: "a", Standing: bank.Rejected, Reason: "AC01"}}
	for _, c := range []struct {
		group bank.Standing
		want  bank.Standing
	}{{bank.Rejected, bank.Rejected}, {bank.Accepted, bank.Accepted}, {bank.Partial, bank.Pending}, {"", bank.Pending}} {
		r := bank.Report{Group: c.group, Reason: "FF01", Items: items}
		if got := r.Of("b"); got.Standing != c.want {
			t.Errorf("group %s says %s of an item not listed, want %s", c.group, got.Standing, c.want)
		}
		if got := r.Of("a"); got != items[0] {
			t.Errorf("group %s says %+v of a listed item", c.group, got)
		}
	}
}
