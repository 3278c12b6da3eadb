package world

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tiwiza/cmd/hubsim/internal/journal"
)

// Faults are the names of all faults: those of PAYMENTS.md §7 in its order, and
// away.
var Faults = strings.Fields(`drop_request execute_then_drop execute_then_500 execute_then_garbage execute_late answer_twice
	callback_before_answer callbacks_shuffled callback_missing not_found_then_visible key_expires same_ref_other_amount
	paid_then_returned statement_missing statement_twice statement_net_of_fee bad_signature replayed_callback rate_limited
	slow_body contradicts_itself away`)

// Partners are the names of the partners played.
var Partners = []string{Acquirer, Acquirer2, Bank, Wallet, SMS, WhatsApp, Mail, CRM, Insurer}

// senseless says why a fault cannot be played by a partner.
var senseless = map[string]map[string]string{
	Acquirer: ofCards, Acquirer2: ofCards,
	Bank: {
		"away": "Stop the bank by rate_limited, once for each connection.",
	},
	Wallet: {
		"away":                 "Arm drop_request, once for each call.",
		"paid_then_returned":   "What is paid to a wallet stays there: arm this fault for the bank.",
		"statement_missing":    "The provider sends no statement: its settlement shows on the bank's, so arm this fault for the bank.",
		"statement_twice":      "The provider sends no statement: its settlement shows on the bank's, so arm this fault for the bank.",
		"statement_net_of_fee": "The provider sends no statement: its settlement shows on the bank's, so arm this fault for the bank.",
	},
	SMS: {
		"away":                   "Arm drop_request, once for each message.",
		"execute_late":           "A message that is brought late is a message: nobody asks the gateway about it.",
		"key_expires":            "The gateway knows references for ever.",
		"not_found_then_visible": "Nobody asks the gateway where a message is.",
		"same_ref_other_amount":  "Messages have no amount.",
		"paid_then_returned":     "Messages move no money.",
		"statement_missing":      "The gateway sends no statement.",
		"statement_twice":        "The gateway sends no statement.",
		"statement_net_of_fee":   "The gateway sends no statement.",
	},
	WhatsApp: only("The platform's webhooks are set up at the platform, and it brings no money: arm a fault of handing a message in.",
		"rate_limited", "drop_request", "execute_then_drop", "execute_then_500", "execute_then_garbage", "contradicts_itself", "slow_body"),
	CRM: only("The CRM moves no money and calls nobody: arm drop_request, rate_limited, slow_body, contradicts_itself, execute_late, or one of execute_then_drop, _500, _garbage.",
		"rate_limited", "drop_request", "execute_then_drop", "execute_then_500", "execute_then_garbage", "execute_late", "contradicts_itself", "slow_body"),
	Insurer: {
		"away":               "Arm drop_request, once for each call.",
		"paid_then_returned": "What an insurer pays to the hub stays there: arm this fault for the bank.",
	},
	Mail: only("A mail server takes a mail or does not: arm rate_limited, drop_request, execute_then_drop or execute_then_500.",
		"rate_limited", "drop_request", "execute_then_drop", "execute_then_500"),
}

// ofCards says why an acquirer cannot play a fault.
var ofCards = map[string]string{
	"key_expires":          "The acquirer's protocol has no idempotency key that could expire: ask its status before repeating.",
	"paid_then_returned":   "A card refund is not returned by a bank: arm this fault for the bank.",
	"statement_missing":    "The acquirer sends no statement: its settlement shows on the bank's, so arm this fault for the bank.",
	"statement_twice":      "The acquirer sends no statement: its settlement shows on the bank's, so arm this fault for the bank.",
	"statement_net_of_fee": "The acquirer sends no statement: its settlement shows on the bank's, so arm this fault for the bank.",
}

// only says of all faults but some why they cannot be played.
func only(why string, but ...string) map[string]string {
	out := map[string]string{}
	for _, f := range Faults {
		if !slices.Contains(but, f) {
			out[f] = why
		}
	}
	return out
}

// Plays are the faults that a partner can play.
func Plays(partner string) (all []string) {
	for _, f := range Faults {
		if _, not := senseless[partner][f]; !not {
			all = append(all, f)
		}
	}
	return all
}

// Armed is a fault that will be played some more times.
type Armed struct {
	Partner string `json:"partner"`
	Fault   string `json:"fault"`
	Times   int    `json:"times"`
}

// ErrUnknownFault says that a name is not one of Partners or Faults.
var ErrUnknownFault = errors.New("no such partner or fault")

// ErrSenseless says that a partner cannot play a fault; its text says why.
var ErrSenseless = errors.New("this partner cannot play this fault")

// Arm makes a partner play a fault the next times it can; 0 disarms it.
func (w *World) Arm(a Armed) error {
	if !slices.Contains(Partners, a.Partner) || !slices.Contains(Faults, a.Fault) || a.Times < 0 {
		return fmt.Errorf("%w: partners are %s; faults are %s; times is not negative", ErrUnknownFault,
			strings.Join(Partners, ", "), strings.Join(Faults, ", "))
	}
	if why, ok := senseless[a.Partner][a.Fault]; ok {
		return fmt.Errorf("%w: %s", ErrSenseless, why)
	}
	return w.Journal.Update(func(tx *journal.Tx) error {
		w.setFault(tx, a)
		return nil
	})
}

func (w *World) setFault(tx *journal.Tx, a Armed) {
	key := a.Partner + "/" + a.Fault
	if a.Times > 0 {
		w.armed.Put(tx, key, a)
	} else {
		w.armed.Delete(tx, key)
	}
}

// Away uses up one call of a partner that is told to be away, and says whether
// it is.
func (w *World) Away(partner string) (away bool) {
	w.Journal.View(func(tx *journal.Tx) { _, away = w.armed.Get(tx, partner+"/away") })
	if !away {
		return false
	}
	taken, err := w.TakeNow(partner, "away")
	return err == nil && taken != ""
}

// ArmedFaults are the faults still to be played.
func (w *World) ArmedFaults() []Armed {
	var out []Armed
	w.Journal.View(func(tx *journal.Tx) { out = w.armed.All(tx) })
	return out
}

// Take uses up one playing of the first of these faults that is armed, and
// names it; it is "" when none is.
func (w *World) Take(tx *journal.Tx, partner string, faults ...string) string {
	for _, f := range faults {
		if a, ok := w.armed.Get(tx, partner+"/"+f); ok {
			a.Times--
			w.setFault(tx, a)
			return f
		}
	}
	return ""
}

// TakeNow is Take in a change of its own.
func (w *World) TakeNow(partner string, faults ...string) (taken string, err error) {
	err = w.Journal.Update(func(tx *journal.Tx) error {
		taken = w.Take(tx, partner, faults...)
		return nil
	})
	return taken, err
}
