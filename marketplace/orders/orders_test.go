package orders_test

import (
	"errors"
	"testing"

	"tiwiza/marketplace/orders"
)

func TestAnOrderGoesItsWayAndNoOther(t *testing.T) {
	t.Parallel()
	states := []orders.State{orders.PendingPayment, orders.Paid, orders.Accepted, orders.Shipped, orders.Delivered, orders.Completed, orders.Expired, "cancelled", "refunded"}
	want := map[orders.Move]map[orders.State]orders.State{
		orders.Pay:     {orders.PendingPayment: orders.Paid},
		orders.Lapse:   {orders.PendingPayment: orders.Expired},
		orders.Accept:  {orders.Paid: orders.Accepted},
		orders.Ship:    {orders.Accepted: orders.Shipped},
		orders.Deliver: {orders.Shipped: orders.Delivered},
		orders.Receive: {orders.Shipped: orders.Completed, orders.Delivered: orders.Completed},
		orders.Settle:  {orders.Shipped: orders.Completed, orders.Delivered: orders.Completed},
		"fly":          {},
	}
	for m, row := range want {
		for _, from := range states {
			before := orders.Order{State: from, Version: 7}
			after, err := before.Do(m)
			to, allowed := row[from]
			switch {
			case allowed && (err != nil || after.State != to || after.Version != 8):
				t.Errorf("%s from %s: %s version %d (%v), want %s version 8", m, from, after.State, after.Version, err, to)
			case !allowed && (!errors.Is(err, orders.ErrState) || after.State != from || after.Version != 7):
				t.Errorf("%s from %s: %s (%v), want it refused and unchanged", m, from, after.State, err)
			}
		}
	}
}

func TestAnOrderThatIsPaidOutCompletesOnDelivery(t *testing.T) {
	t.Parallel()
	o, err := orders.Order{State: orders.Shipped, Settled: true}.Do(orders.Deliver)
	if err != nil || o.State != orders.Completed {
		t.Errorf("state = %s (%v), want completed", o.State, err)
	}
}

func TestACodeTakesFiveWrongTries(t *testing.T) {
	t.Parallel()
	o := orders.Order{DeliveryCode: "0412"}
	if _, err := o.Prove(" ٠٤١٢ "); err != nil {
		t.Errorf("the code in Arabic digits was refused: %v", err)
	}
	var err error
	for i := range 5 {
		if o, err = o.Prove("0421"); !errors.Is(err, orders.ErrCode) || o.CodeTries != i+1 {
			t.Fatalf("try %d: %v after %d tries", i+1, err, o.CodeTries)
		}
	}
	if _, err = o.Prove("0412"); !errors.Is(err, orders.ErrCodeLocked) {
		t.Errorf("the right code after five wrong ones: %v, want it locked", err)
	}
}

func TestPhonesAreKeptInOneForm(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"0612345678": "+212612345678", "06 12-34.56 78": "+212612345678", "+212 6 12 34 56 78": "+212612345678", "00212712345678": "+212712345678",
		"212522123456": "+212522123456", "+212 (0)612345678": "+212612345678", "٠٦١٢٣٤٥٦٧٨": "+212612345678", "\u200e+212612345678": "+212612345678",
		"": "", "612345678": "", "061234567": "", "06123456789": "", "+33612345678": "", "0412345678": "", "06123456ab": "", "+2126٫2345678": "",
	} {
		if got, ok := orders.Phone(in); got != want || ok != (want != "") {
			t.Errorf("Phone(%q) = %q, %t, want %q", in, got, ok, want)
		}
	}
}
