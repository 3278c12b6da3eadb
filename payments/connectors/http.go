package connectors

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
	"tiwiza/pkg/webhook"
)

// Routes is the HTTP face of partners that are plugged in; the operator's people
// use it.
func Routes(s *Service) []rest.Route {
	ok, one := http.StatusOK, "/v1/partners/{partner}"
	return []rest.Route{
		rest.Commit("POST", "/v1/partners", "partners.register", "Register a partner by the address of its connector", http.StatusCreated, s.Register),
		rest.Handle("GET", one, "partners.show", "Show a partner that was registered", ok, s.Show),
		rest.Commit("POST", one+"/credentials", "partners.rotate", "Add credentials; the two newest are valid", ok, s.Rotate),
		rest.Handle("POST", one+"/test", "partners.test", "Ask a connector what it is and whether it lets us in", ok, s.Test),
		rest.Commit("POST", one+"/certificate", "partners.certify", "Hand in what hub certify signed", ok, s.Certify),
		rest.Commit("POST", one+"/resume", "partners.resume", "Ask for real money to move through a partner; a second person decides", ok, s.Resume),
		rest.Commit("POST", one+"/pause", "partners.pause", "Let nothing leave through a partner any more", ok, s.Pause),
		rest.Handle("POST", "/callbacks/{partner}/events", "callbacks.events", "Hear that a connector has news for us", http.StatusNoContent, s.Hear,
			rest.Public(), rest.Body(64<<10), rest.About("Signed by Standard Webhooks with an Ed25519 key of the connector's manifest (v1a). It proves nothing: what it speaks of is then asked for.")),
	}
}

// CredentialView is a way to sign in, without its secrets.
type CredentialView struct {
	ID        string    `json:"id" required:"true"`
	CreatedAt time.Time `json:"created_at" required:"true"`
	CreatedBy string    `json:"created_by" required:"true"`
}

// AccountView is an account that we have at a bank.
type AccountView struct {
	RIB  string `json:"rib" required:"true"`
	Name string `json:"name" required:"true"`
}

// View is a partner that was registered.
type View struct {
	ID          string           `json:"id" required:"true"`
	Port        string           `json:"port" required:"true" enum:"bank,card,insurance,wallet,crm,notify"`
	URL         string           `json:"url" required:"true"`
	State       State            `json:"state" required:"true" enum:"registered,live,paused"`
	Pays        bool             `json:"pays" required:"true" description:"Payouts leave from this bank; buyers are sent to this wallet first."`
	Owner       string           `json:"owner" required:"true"`
	Features    []string         `json:"features" required:"true"`
	Sandbox     bool             `json:"sandbox" required:"true"`
	FoundAt     *time.Time       `json:"found_at" required:"true" description:"When it was asked last what it is."`
	Certificate *string          `json:"certificate" required:"true"`
	Credentials []CredentialView `json:"credentials" required:"true" description:"The newest first."`
	Safeguard   *AccountView     `json:"safeguard" required:"true" description:"Null but for banks."`
	Operating   *AccountView     `json:"operating" required:"true" description:"Null but for banks."`
	Hosted      string           `json:"hosted,omitempty" enum:"morocco,abroad" description:"Of a customer relation system: where what it is told is kept."`
	SettlesFrom *string          `json:"settles_from" required:"true" description:"The RIB that an acquirer or a wallet pays us from; null for others."`
	FeePercent  *string          `json:"fee_percent" required:"true" description:"What its contract lets it keep; null where nobody said."`
	CreatedBy   string           `json:"created_by" required:"true"`
	CreatedAt   time.Time        `json:"created_at" required:"true"`
	ChangedAt   time.Time        `json:"changed_at" required:"true"`
}

func (c Connector) view(have []credential) View {
	v := View{
		ID: c.ID, Port: c.Port, URL: c.URL, Hosted: c.Hosted, State: c.State, Pays: c.Pays, Owner: c.Owner, Features: c.Features, Sandbox: c.Sandbox, FoundAt: rest.UTC(c.FoundAt),
		CreatedBy: c.CreatedBy, CreatedAt: c.CreatedAt.UTC(), ChangedAt: c.ChangedAt.UTC(), Credentials: make([]CredentialView, len(have)),
	}
	if c.Port == PortBank {
		v.Safeguard, v.Operating = &AccountView{c.SafeguardRIB, c.SafeguardName}, &AccountView{c.OperatingRIB, c.OperatingName}
	}
	if c.settles() {
		v.SettlesFrom = &c.SettlesFrom
		if percent := c.percent(); percent != "" {
			v.FeePercent = &percent
		}
	}
	if c.Certificate != "" {
		v.Certificate = &c.Certificate
	}
	for i, k := range have {
		v.Credentials[i] = CredentialView{k.ID, k.CreatedAt.UTC(), k.CreatedBy}
	}
	return v
}

// Show shows a partner.
func (s *Service) Show(ctx context.Context, in One) (View, error) {
	c, err := load(ctx, s.db, in.Partner)
	if err != nil {
		return View{}, err
	}
	have, err := credentials(ctx, s.db, c.ID)
	return c.view(have), err
}

// A Standing is a partner with how its calls go.
type Standing struct {
	Connector
	Lanes []outbound.LaneState
}

// Standings are all partners that were registered.
func (s *Service) Standings(ctx context.Context, db pg.DB) ([]Standing, error) {
	found, err := all(ctx, db)
	out := make([]Standing, len(found))
	for i, c := range found {
		out[i].Connector = c
		s.mu.Lock()
		if o, ok := s.open[c.ID]; ok {
			out[i].Lanes = o.bank.Lanes()
		}
		s.mu.Unlock()
	}
	return out, err
}

// HearInput is an event as it came.
type HearInput struct {
	Partner   string   `path:"partner" maxLength:"40"`
	ID        string   `header:"webhook-id" maxLength:"200"`
	Timestamp string   `header:"webhook-timestamp" maxLength:"20"`
	Signature string   `header:"webhook-signature" maxLength:"2000"`
	Body      rest.Raw `body:"raw"`
}

// Hear has a bank's messages fetched at once, and passes the events of others on.
// Whoever has the address may call it; only what one of the partner's keys signed
// lately is heard.
func (s *Service) Hear(ctx context.Context, in HearInput) (rest.Text, error) {
	c, err := load(ctx, s.db, in.Partner)
	signed := webhook.Signed{ID: in.ID, Timestamp: in.Timestamp, Signature: in.Signature, Body: in.Body.Bytes}
	if hear := s.news[c.Port]; err == nil && hear != nil {
		if !signed.By(webhook.Now(), c.WebhookKeys...) {
			return "", ErrSignature
		}
		return "", hear(ctx, c.ID, signed)
	}
	if s.cfg.Heard != nil && (errors.Is(err, ErrNotFound) || err == nil && c.Port != PortBank) {
		return "", s.cfg.Heard(ctx, in.Partner, map[string][]string{
			"webhook-id": {in.ID}, "webhook-timestamp": {in.Timestamp}, "webhook-signature": {in.Signature},
		}, in.Body.Bytes)
	}
	if err != nil {
		return "", err
	}
	if !signed.By(webhook.Now(), c.WebhookKeys...) {
		return "", ErrSignature
	}
	select {
	case s.woken <- struct{}{}:
	default: // somebody has said so already
	}
	for _, f := range s.heard {
		if err := f(ctx, c.ID); err != nil {
			return "", err
		}
	}
	return "", nil
}

// Woken tells when messages wait somewhere.
func (s *Service) Woken() <-chan struct{} { return s.woken }
