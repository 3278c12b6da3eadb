package members

// Moved says that an organisation has come to a new state: it may sell now, or
// may no longer.
type Moved struct {
	Organisation string `json:"organisation"`
	State        State  `json:"state"`
}

// EventType names the event.
func (Moved) EventType() string { return "members.moved" }

// Subject is the organisation.
func (e Moved) Subject() string { return e.Organisation }

// Restricted says that an organisation may sell nothing new, for one more reason;
// or that a reason was lifted: when none is left, and Why is "", it may again.
type Restricted struct {
	Organisation string   `json:"organisation"`
	Why          string   `json:"why"`
	Reasons      []string `json:"reasons"`          // all that hold now
	Lifted       string   `json:"lifted,omitempty"` // the one that holds no more
}

// EventType names the event.
func (Restricted) EventType() string { return "members.restricted" }

// Subject is the organisation.
func (e Restricted) Subject() string { return e.Organisation }

// AccountGiven says that a bank account was given for an organisation's payouts:
// it waits to be verified, or is the one that is paid from now on.
type AccountGiven struct {
	Organisation string       `json:"organisation"`
	Account      string       `json:"account"`
	State        AccountState `json:"state"`
	Ends         string       `json:"ends"` // its last four digits
}

// EventType names the event.
func (AccountGiven) EventType() string { return "members.account_given" }

// Subject is the organisation.
func (e AccountGiven) Subject() string { return e.Organisation }

// given is the event of an account.
func given(a Account) AccountGiven {
	return AccountGiven{Organisation: a.Organisation, Account: a.ID, State: a.State, Ends: a.RIB[len(a.RIB)-4:]}
}

// SignedInAt says that a person signed in on a device.
type SignedInAt struct {
	Person  string `json:"person"`
	Session string `json:"session"`
	Device  string `json:"device"`
}

// EventType names the event.
func (SignedInAt) EventType() string { return "members.signed_in" }

// Subject is the person.
func (e SignedInAt) Subject() string { return e.Person }

// GuestFound says that a person was a buyer without an account, whose orders are
// its own now.
type GuestFound struct {
	Person string `json:"person"`
	Guest  string `json:"guest"`
}

// EventType names the event.
func (GuestFound) EventType() string { return "members.guest_found" }

// Subject is the person.
func (e GuestFound) Subject() string { return e.Person }

// PINChanged says that a person chose a PIN.
type PINChanged struct {
	Person string `json:"person"`
}

// EventType names the event.
func (PINChanged) EventType() string { return "members.pin_changed" }

// Subject is the person.
func (e PINChanged) Subject() string { return e.Person }

// Mandated says that an agent acts for a member, who agreed with a code.
type Mandated struct {
	Organisation string `json:"organisation"`
	Person       string `json:"person"`
	Agent        string `json:"agent"`
	Session      string `json:"session"`
}

// EventType names the event.
func (Mandated) EventType() string { return "members.mandated" }

// Subject is the organisation.
func (e Mandated) Subject() string { return e.Organisation }

// Joined says that a person works for an organisation now.
type Joined struct {
	Organisation string `json:"organisation"`
	Person       string `json:"person"`
	Role         string `json:"role"`
}

// EventType names the event.
func (Joined) EventType() string { return "members.joined" }

// Subject is the organisation.
func (e Joined) Subject() string { return e.Organisation }

// Left says that a person does not work for an organisation any more.
type Left struct {
	Organisation string `json:"organisation"`
	Person       string `json:"person"`
}

// EventType names the event.
func (Left) EventType() string { return "members.left" }

// Subject is the organisation.
func (e Left) Subject() string { return e.Organisation }

// PasskeyChanged says that a person's passkey was added or ended.
type PasskeyChanged struct {
	Person  string `json:"person"`
	Passkey string `json:"passkey"`
	Change  string `json:"change"`
}

// EventType names the event.
func (PasskeyChanged) EventType() string { return "members.passkey_changed" }

// Subject is the person.
func (e PasskeyChanged) Subject() string { return e.Person }
