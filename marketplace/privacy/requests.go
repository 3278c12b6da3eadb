package privacy

import (
	"context"
	"strings"

	"tiwiza/marketplace/notices"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// AskInput is what somebody asks for about its data.
type AskInput struct {
	Kind  Kind   `json:"kind" required:"true" enum:"rectification,objection"`
	About string `json:"about" required:"true" maxLength:"40" description:"A processing, by its code in GET /v1/processings."`
	Text  string `json:"text,omitempty" maxLength:"2000" description:"What is wrong and how it should be, or why; needed but to object to being written to about goods."`
}

// Ask takes a request. An objection to a processing that stops at once for whoever
// objects is answered by doing so; the others wait for the operator, to be answered
// before their time is over.
func (s *Service) Ask(ctx context.Context, tx *pg.Tx, in AskInput) (v RequestView, err error) {
	person, err := me(ctx)
	if err != nil {
		return v, err
	}
	p, ok := register.processing(in.About)
	if !ok {
		return v, ErrInvalid.At("/about", "Name a processing by its code, as GET /v1/processings lists them.")
	}
	r := Request{ID: id.New(id.DataRequest), Person: person, Kind: in.Kind, About: in.About, Text: strings.TrimSpace(in.Text), State: Received, MadeAt: tx.Now(), DueAt: tx.Now().Add(days(register.AnswerDays)), Version: 1}
	atOnce := in.Kind == Objection && p.Objection
	if r.Text == "" && !atOnce {
		return v, ErrInvalid.At("/text", "Say what is wrong, or why you object.")
	}
	waiting, lately, err := askedBy(ctx, tx, person, tx.Now().Add(-requestsIn))
	switch {
	case err != nil:
		return v, err
	case !atOnce && waiting >= mostOpen:
		return v, tooMany(nil, "/text", "%d of your requests wait for their answer; wait for one, or add what you want to say when it comes.", mostOpen)
	case !atOnce && lately >= mostRequests:
		return v, tooMany(nil, "/text", "You have made %d requests in %d days; come back later.", mostRequests, int(requestsIn.Hours()/24))
	}
	if atOnce {
		if err := s.Letters.Refuse(ctx, tx, person); err != nil {
			return v, err
		}
		r.State, r.AnsweredBy, r.AnsweredAt = Answered, "hub", &r.MadeAt
	}
	insertRequest(tx, r)
	audit.Record(tx, "personal_data.ask", r.ID, authz.Policy(ctx), map[string]any{"person": person, "kind": r.Kind, "about": r.About, "at_once": atOnce})
	return r.view(), tx.Flush(ctx)
}

// Requests lists what the caller asked for, the newest first.
func (s *Service) Requests(ctx context.Context, in rest.Paging) (p rest.Page[RequestView], err error) {
	person, err := me(ctx)
	if err != nil {
		return p, err
	}
	below, err := in.After(id.DataRequest)
	if err != nil {
		return p, err
	}
	rows, err := listRequests(ctx, s.db, person, below, in.Limit+1)
	return rest.View(rows, in.Limit, Request.view, func(v RequestView) any { return v.ID }), err
}

// InboxInput asks for the requests of all people.
type InboxInput struct {
	State RequestState `query:"state" enum:"received,answered,refused" default:"received"`
	rest.Paging
}

// Inbox lists what people asked for, what must be answered first before the others. The
// operator reads it.
func (s *Service) Inbox(ctx context.Context, in InboxInput) (p rest.Page[InboxView], err error) {
	var behind place
	if err := rest.DecodeCursor(in.Cursor, &behind); err != nil {
		return p, err
	}
	if behind.ID != "" && !id.Is(id.DataRequest, behind.ID) {
		return p, rest.ErrCursor
	}
	rows, err := inbox(ctx, s.db, in.State, behind, in.Limit+1)
	return rest.View(rows, in.Limit, func(r Request) InboxView { return InboxView{r.view(), r.Person} }, func(v InboxView) any { return place{v.DueAt, v.ID} }), err
}

// AnswerInput answers a request.
type AnswerInput struct {
	Request  string       `path:"request"`
	Decision RequestState `json:"decision" required:"true" enum:"answered,refused"`
	Answer   string       `json:"answer,omitempty" maxLength:"2000" description:"What the person is told; to refuse, why."`
}

// Answer answers somebody's request, or refuses it with a reason. The operator does, and
// the person is told.
func (s *Service) Answer(ctx context.Context, tx *pg.Tx, in AnswerInput) (v InboxView, err error) {
	r, err := lockRequest(ctx, tx, in.Request)
	if err != nil {
		return v, err
	}
	if r, err = r.answer(in.Decision, strings.TrimSpace(in.Answer), by(ctx), tx.Now()); err != nil {
		return v, err
	}
	saveRequest(tx, r)
	audit.Record(tx, "personal_data.answer", r.ID, authz.Policy(ctx), map[string]any{"person": r.Person, "decision": r.State})
	return InboxView{r.view(), r.Person}, s.tell(ctx, tx, r.Person, notices.PersonalAnswer, r.ID, nil)
}
