package notices

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of notices.
func Routes(s *Service) []rest.Route {
	const ok = http.StatusOK
	return []rest.Route{
		rest.Handle("GET", "/v1/notices", "notices.list", "List what you were told, the newest first", ok, s.List),
		rest.Handle("GET", "/v1/notices/settings", "notices.settings", "Show how you wish to be told", ok, s.Show),
		rest.Commit("POST", "/v1/notices/settings", "notices.wish", "Say how you wish to be told", ok, s.Wish),
		rest.Handle("POST", "/callbacks/{partner}/notices", "callbacks.notices", "Take in what a gateway says of messages", http.StatusNoContent, s.Report,
			rest.Public(), rest.Body(256<<10), rest.About("Signed by the gateway: HMAC-SHA-256 over the body, in hex, in X-Hub-Signature-256 or X-Signature. Saying it again changes nothing.")),
		rest.Handle("GET", "/callbacks/{partner}/notices", "callbacks.notices_greet", "Answer a gateway that asks whether this address is the hub's", ok, s.Greeting,
			rest.Public(), rest.About("As WhatsApp asks it, with the token that was agreed; the answer is the challenge.")),
	}
}

// View is what somebody was told.
type View struct {
	ID       string     `json:"id" required:"true"`
	Kind     Kind       `json:"kind" required:"true"`
	Text     string     `json:"text" required:"true" description:"As it was sent; codes are not shown again."`
	Lang     string     `json:"lang" required:"true" enum:"fr,ar,en"`
	State    State      `json:"state" required:"true" enum:"waiting,sending,sent,delivered,failed,unknown,dropped,gathered"`
	Reason   string     `json:"reason,omitempty" description:"Why it was not brought."`
	Channel  string     `json:"channel,omitempty" enum:"sms,whatsapp,email" description:"The last way it was tried."`
	Address  string     `json:"address,omitempty" description:"Masked."`
	Attempts int64      `json:"attempts" required:"true" description:"How often gateways were asked."`
	At       time.Time  `json:"at" required:"true"`
	DueAt    *time.Time `json:"due_at,omitempty" description:"When it is to be sent, while it waits."`
	TriedAt  *time.Time `json:"tried_at,omitempty"`
	Digest   *string    `json:"digest,omitempty" description:"The message of the day that it was told in."`
}

func (l logged) view() View {
	v := View{
		ID: l.ID, Kind: l.Kind, Text: l.shown(), Lang: l.Lang, State: l.State, Reason: l.Reason, Channel: string(l.Channel), Attempts: l.Attempts,
		At: l.CreatedAt.UTC(), TriedAt: rest.UTC(l.TriedAt), Digest: l.Within,
	}
	if l.Address != "" {
		v.Address = notify.Mask(l.Address)
	}
	if l.State == Waiting || l.State == Gathered && l.Within == nil {
		v.DueAt = rest.UTC(&l.DueAt)
	}
	return v
}

// List lists what the caller was told.
func (s *Service) List(ctx context.Context, in rest.Paging) (p rest.Page[View], err error) {
	below, err := in.After(id.Notice)
	if err != nil {
		return p, err
	}
	rows, err := list(ctx, s.db, auth.From(ctx).Subject, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, logged.view, func(v View) any { return v.ID }), nil
}

// ReportInput is what a gateway says, as it came.
type ReportInput struct {
	Partner string   `path:"partner" maxLength:"40"`
	Hub     string   `header:"X-Hub-Signature-256" maxLength:"200"`
	Plain   string   `header:"X-Signature" maxLength:"200"`
	Body    rest.Raw `body:"raw"`
}

// Report takes in what a gateway says of messages.
func (s *Service) Report(ctx context.Context, in ReportInput) (rest.Text, error) {
	err := s.Reported(ctx, in.Partner, notify.Callback{
		Signature: cmp.Or(in.Hub, in.Plain), ContentType: in.Body.ContentType, Body: in.Body.Bytes,
	})
	if errors.Is(err, notify.ErrForged) || errors.Is(err, notify.ErrUnreadable) {
		return "", s.unheard(ctx, in.Partner, err)
	}
	return "", err
}

// unheard keeps that a report was refused.
func (s *Service) unheard(ctx context.Context, partner string, why error) error {
	slog.WarnContext(ctx, "callback refused", "partner", partner, "cause", why)
	err := s.db.InTx(ctx, func(tx *pg.Tx) error {
		audit.Record(tx, "callbacks.notices", partner, "refused: not authentic", nil)
		return nil
	})
	if err != nil {
		return err
	}
	return why
}

// GreetingInput is the question of a gateway.
type GreetingInput struct {
	Partner   string `path:"partner" maxLength:"40"`
	Mode      string `query:"hub.mode" maxLength:"40"`
	Token     string `query:"hub.verify_token" maxLength:"200"`
	Challenge string `query:"hub.challenge" maxLength:"200"`
}

// Greeting answers a gateway that asks whether this address is the hub's.
func (s *Service) Greeting(ctx context.Context, in GreetingInput) (rest.Text, error) {
	c, err := s.carrier(ctx, in.Partner)
	if err != nil {
		return "", err
	}
	answer, err := c.Greet(in.Mode, in.Token, in.Challenge)
	return rest.Text(answer), err
}
