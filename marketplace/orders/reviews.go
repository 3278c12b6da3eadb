package orders

import (
	"context"
	"strings"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Errors of reviews.
var (
	ErrNoReview = fault.New(fault.NotFound, "reviews.not_found", "There is no such review.")
	ErrReviewed = fault.New(fault.Conflict, "reviews.written", "You have reviewed this article of the order already.")
	ErrReplied  = fault.New(fault.Conflict, "reviews.replied", "You have replied to this review already.")
	ErrModerate = fault.New(fault.Conflict, "reviews.state", "The review stands like that already.")
	ErrReview   = fault.New(fault.Invalid, "reviews.invalid", "Some of this is not right; see errors.")
)

// A Review is what a buyer says of one article of an order that was delivered.
type Review struct {
	ID        string
	Order     string `db:"order_id"`
	Variant   string
	Offer     string
	Seller    string
	Buyer     string
	Stars     int // 1 to 5
	Text      string
	State     string // shown or hidden
	Reply     string
	RepliedAt *time.Time
	Reason    string // why it is hidden
	By        string `db:"moderated_by"`
	CreatedAt time.Time
	Version   int64
}

// Shown says whether anybody may read it.
func (r Review) Shown() bool { return r.State == "shown" }

// Answer is the seller's one reply.
func (r Review) Answer(text string, at time.Time) (Review, error) {
	if r.Reply != "" {
		return r, ErrReplied
	}
	r.Reply, r.RepliedAt = text, &at
	return r, nil
}

// Moderate hides a review for a reason, or shows it again: with "".
func (r Review) Moderate(reason, by string) (Review, error) {
	state := "hidden"
	if reason == "" {
		state = "shown"
	}
	if state == r.State {
		return r, ErrModerate.At("/action", "it is "+r.State)
	}
	r.State, r.Reason, r.By = state, reason, by
	return r, nil
}

// WriteReview is a buyer's word on an article of an order that was delivered,
// once.
func (s *Service) WriteReview(ctx context.Context, tx *pg.Tx, in ReviewInput) (v ReviewView, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, "review")
	if err != nil {
		return v, err
	}
	if o.DeliveredAt == nil {
		return v, ErrNotDelivered.Say("These goods have not been delivered; say what you think of them when you have them.")
	}
	bought, err := orderLines(ctx, tx, o.ID)
	if err != nil {
		return v, err
	}
	r := Review{
		ID: id.New(id.Review), Order: o.ID, Variant: in.Variant, Seller: o.Seller, Buyer: o.Buyer, Stars: in.Stars,
		Text: strings.TrimSpace(in.Text), State: "shown", CreatedAt: tx.Now(),
	}
	for _, l := range bought {
		if l.Variant == in.Variant {
			r.Offer = l.Offer
		}
	}
	if r.Offer == "" {
		return v, ErrReview.At("/variant", "This article is not in the order.")
	}
	insertReview(tx, r)
	if err := s.Catalogue.Rate(ctx, tx, r.Offer, r.Stars, 1); err != nil {
		return v, err
	}
	audit.Record(tx, "orders.review", r.ID, policy, map[string]string{"order": o.ID})
	return r.view(auth.Buyer), tx.Publish(ctx, r.told(ctx))
}

func (r Review) told(context.Context) ReviewMoved {
	return ReviewMoved{r.ID, r.Order, r.Offer, r.Seller, r.Buyer, r.Stars, r.State, r.Reply != ""}
}

// change locks a review for somebody who may do something with it.
func (s *Service) change(ctx context.Context, tx *pg.Tx, review, action string, do func(r Review) (Review, error)) (v ReviewView, err error) {
	r, err := lockReview(ctx, tx, review)
	if err != nil {
		return v, err
	}
	policy, err := s.may(ctx, action, r.Seller, r.Buyer, ErrNoReview)
	if err != nil {
		return v, err
	}
	if r, err = do(r); err != nil {
		return v, err
	}
	saveReview(tx, r)
	audit.Record(tx, action, r.ID, policy, map[string]string{"state": r.State, "reason": r.Reason})
	return r.view(auth.From(ctx).Role), tx.Publish(ctx, r.told(ctx))
}

// ReplyToReview is the seller's one answer to a review.
func (s *Service) ReplyToReview(ctx context.Context, tx *pg.Tx, in ReviewReply) (ReviewView, error) {
	return s.change(ctx, tx, in.Review, "reviews.reply", func(r Review) (Review, error) {
		return r.Answer(strings.TrimSpace(in.Text), tx.Now())
	})
}

// ModerateReview hides a review, with the reason, or shows it again. What is
// hidden does not count in the offer's average.
func (s *Service) ModerateReview(ctx context.Context, tx *pg.Tx, in Moderation) (ReviewView, error) {
	if (in.Action == "hide") != (in.Reason != "") {
		return ReviewView{}, ErrReview.At("/reason", "Give the reason when a review is hidden, and none when it is shown.")
	}
	return s.change(ctx, tx, in.Review, "reviews.moderate", func(r Review) (Review, error) {
		r, err := r.Moderate(in.Reason, auth.From(ctx).Person())
		if err != nil {
			return r, err
		}
		if r.Shown() {
			return r, s.Catalogue.Rate(ctx, tx, r.Offer, r.Stars, 1)
		}
		return r, s.Catalogue.Rate(ctx, tx, r.Offer, -r.Stars, -1)
	})
}

// OfferReviews are what buyers say of an offer, the newest first, for anyone.
func (s *Service) OfferReviews(ctx context.Context, in OfferReviewsInput) (p rest.Page[ReviewView], err error) {
	below, err := in.After(id.Review)
	if err != nil {
		return p, err
	}
	all, err := offerReviews(ctx, s.db, in.Offer, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, func(r Review) ReviewView { return r.view(auth.Guest) }, func(v ReviewView) any { return v.ID }), nil
}

// ListReviews lists the reviews that concern the caller, also those that are
// hidden, the newest first: for the operator all.
func (s *Service) ListReviews(ctx context.Context, in ReviewsInput) (p rest.Page[ReviewView], err error) {
	below, err := in.After(id.Review)
	if err != nil {
		return p, err
	}
	who := auth.From(ctx)
	seller, buyers := who.Sides()
	all, err := listReviews(ctx, s.db, seller, buyers, in.State, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, func(r Review) ReviewView { return r.view(who.Role) }, func(v ReviewView) any { return v.ID }), nil
}

// reviewed says what the database's word on a second review means.
func reviewed(err error) error {
	if pg.Violates(err, "review_once") {
		return ErrReviewed.With(err)
	}
	return err
}
