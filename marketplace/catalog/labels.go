package catalog

import (
	"cmp"
	"slices"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
)

// Errors of labels.
var (
	ErrNoLabel    = fault.New(fault.NotFound, "catalog.no_label", "There is no such label.")
	ErrLabelState = fault.New(fault.Conflict, "catalog.label_state", "The label's state does not allow this.")
	ErrLabel      = fault.New(fault.Invalid, "catalog.label_invalid", "Some of the label's fields are wrong; see errors.")
)

// A Label is a sign of origin or quality: a certificate that a seller claims for
// some of its offers or all, and that the operator verifies. Days are written as
// 2026-01-31; a label without a last day stays.
type Label struct {
	ID         string     `json:"id"`
	Seller     string     `json:"seller"`
	Code       string     `json:"code"`
	Issuer     string     `json:"issuer"`
	Number     string     `json:"number"`
	Scope      Scope      `json:"scope"`
	Proof      string     `json:"proof"` // a file, by its id
	From       string     `json:"valid_from"`
	To         string     `json:"valid_to"`
	State      LabelState `json:"state"`
	Evidence   string     `json:"evidence"` // how it was verified
	Reason     string     `json:"reason"`   // why it was refused or revoked
	ClaimedAt  time.Time  `json:"claimed_at"`
	VerifiedAt *time.Time `json:"verified_at"`
	VerifiedBy string     `json:"verified_by"`
	EndedAt    *time.Time `json:"ended_at"`
	Reminded   int        `json:"reminded"` // for how many days before its end its seller was last told
	Current    bool       `json:"current"`  // a badge, as it was read: verified and in date
}

// A Scope says what a label is for.
type Scope string

// The scopes.
const (
	OfOffers       Scope = "offers"
	OfOrganisation Scope = "organisation"
)

// A LabelState is where a label stands: claimed → verified → expired or revoked;
// a claim may also be refused, and a seller may withdraw.
type LabelState string

// The states of labels.
const (
	Claimed   LabelState = "claimed"
	Verified  LabelState = "verified"
	Refused   LabelState = "refused"
	Expired   LabelState = "expired"
	Revoked   LabelState = "revoked"
	Withdrawn LabelState = "withdrawn"
)

// labelMoves says from which states each state is reached.
var labelMoves = map[LabelState][]LabelState{
	Verified:  {Claimed},
	Refused:   {Claimed},
	Expired:   {Verified},
	Revoked:   {Verified},
	Withdrawn: {Claimed, Verified},
}

// Begins is when the label's first day begins in Morocco.
func (l Label) Begins() time.Time { return dayOf(l.From, 0) }

// Ends is when the day after its last begins in Morocco; false for one that
// stays.
func (l Label) Ends() (time.Time, bool) {
	if l.To == "" {
		return time.Time{}, false
	}
	return dayOf(l.To, 1), true
}

// dayOf is when a day, so many days later, begins in Morocco. It is the first
// moment of that date also when the clocks change.
func dayOf(day string, later int) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, day, clock.Morocco)
	if err != nil {
		return time.Time{}
	}
	return t.AddDate(0, 0, later)
}

// InDate says whether its period holds at.
func (l Label) InDate(at time.Time) bool {
	end, ends := l.Ends()
	return !at.Before(l.Begins()) && (!ends || at.Before(end))
}

// Move brings the label to a state, or says why not. What verifies it is what
// the operator saw; what refuses or revokes it is a reason its seller reads.
func (l Label) Move(to LabelState, who, word string, at time.Time) (Label, error) {
	if !slices.Contains(labelMoves[to], l.State) {
		return l, ErrLabelState.Say("The label is %s, so it cannot become %s.", l.State, to)
	}
	switch to {
	case Verified:
		if end, ends := l.Ends(); ends && !at.Before(end) {
			return l, ErrLabelState.Say("The label's last day was %s; its seller claims the new one.", l.To)
		}
		err := ErrLabel
		for pointer, s := range map[string]string{"/issuer": l.Issuer, "/number": l.Number} {
			if s == "" {
				err = err.At(pointer, "A label without this cannot be verified; refuse it and say so.")
			}
		}
		if len(err.Details) > 0 {
			slices.SortFunc(err.Details, func(a, b fault.Detail) int { return cmp.Compare(a.Pointer, b.Pointer) })
			return l, err
		}
		l.VerifiedAt, l.VerifiedBy, l.Evidence = &at, who, word
	case Refused, Revoked:
		l.Reason, l.EndedAt = word, &at
	default:
		l.EndedAt = &at
	}
	l.State = to
	return l, nil
}

// reminders are how many days before its end a label's seller is told.
var reminders = []int{30, 7, 1}

// Due is what the label's seller is to be told at: the end in so many days, 0
// for nothing. Of several that were missed only the last counts.
func (l Label) Due(at time.Time) int {
	end, ends := l.Ends()
	if l.State != Verified || !ends || !at.Before(end) {
		return 0
	}
	due := 0
	for _, days := range reminders {
		if !at.Before(end.AddDate(0, 0, -days)) {
			due = days
		}
	}
	if l.Reminded != 0 && due >= l.Reminded {
		return 0
	}
	return due
}

// Next is when something of a verified label changes by itself after at: it
// begins, its end draws near, it ends. False when nothing does.
func (l Label) Next(at time.Time) (time.Time, bool) {
	if l.State != Verified {
		return time.Time{}, false
	}
	turns := []time.Time{l.Begins()}
	if end, ends := l.Ends(); ends {
		turns = append(turns, end)
		for _, days := range reminders {
			turns = append(turns, end.AddDate(0, 0, -days))
		}
	}
	turns = slices.DeleteFunc(turns, func(t time.Time) bool { return !t.After(at) })
	if len(turns) == 0 {
		return time.Time{}, false
	}
	return slices.MinFunc(turns, time.Time.Compare), true
}

// said is what a seller says of a label.
func (l Label) said() Label {
	return Label{Code: l.Code, Issuer: l.Issuer, Number: l.Number, From: l.From, To: l.To}
}

// relabel gives the offer the labels that its seller now writes: those it had
// stay what they are, new ones are claims, and those left out are withdrawn. A
// label of the whole organisation stays, and so does one in force that is only
// claimed anew, with another number or period.
func (o Offer) relabel(was []Label) Offer {
	wanted := o.Labels
	o.Labels, o.dropped = nil, nil
	open := func(l Label) bool { return l.State == Claimed || l.State == Verified }
	for _, l := range was {
		again := slices.ContainsFunc(wanted, func(w Label) bool { return w.ID == l.ID || w.ID == "" && w.said() == l.said() })
		renewed := l.State == Verified && slices.ContainsFunc(wanted, func(w Label) bool { return w.Code == l.Code })
		if l.Scope == OfOrganisation || !open(l) || again || renewed {
			o.Labels = append(o.Labels, l)
		} else {
			o.dropped = append(o.dropped, l.ID)
		}
	}
	for _, w := range wanted {
		if w.ID == "" && !slices.ContainsFunc(was, func(l Label) bool { return w.said() == l.said() }) {
			w.Seller, w.Scope, w.State = o.Seller, OfOffers, Claimed
			o.Labels = append(o.Labels, w)
		}
	}
	return o
}
