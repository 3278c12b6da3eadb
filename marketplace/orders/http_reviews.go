package orders

import (
	"net/http"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/rest"
)

// reviewRoutes are the routes of reviews and messages.
func reviewRoutes(s *Service) []rest.Route {
	ok, made := http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Commit("POST", "/v1/orders/{order}/reviews", "orders.review", "Say what one thinks of an article that came", made, s.WriteReview),
		rest.Handle("GET", "/v1/offers/{offer}/reviews", "reviews.of_offer", "Read what buyers say of an offer", ok, s.OfferReviews, rest.Public()),
		rest.Handle("GET", "/v1/reviews", "reviews.list", "List the reviews that concern one", ok, s.ListReviews),
		rest.Commit("POST", "/v1/reviews/{review}/reply", "reviews.reply", "Reply to a review as its seller", ok, s.ReplyToReview),
		rest.Commit("POST", "/v1/reviews/{review}/moderate", "reviews.moderate", "Hide a review, or show it again", ok, s.ModerateReview),
		rest.Commit("POST", "/v1/orders/{order}/messages", "orders.write", "Write to the other side of an order", made, s.SendMessage),
		rest.Handle("GET", "/v1/orders/{order}/messages", "orders.messages", "Read what was said about an order", ok, s.Messages),
		rest.Handle("GET", "/v1/messages/{message}/files/{file}", "messages.file", "Look at a file that was sent with a message", ok, s.MessageFile,
			rest.Gives("application/pdf", "image/jpeg")),
	}
}

// ReviewInput is what a buyer says of an article.
type ReviewInput struct {
	Order   string `path:"order"`
	Variant string `json:"variant" required:"true" maxLength:"40"`
	Stars   int    `json:"rating" required:"true" minimum:"1" maximum:"5"`
	Text    string `json:"text,omitempty" maxLength:"2000"`
}

// ReviewReply is the seller's answer.
type ReviewReply struct {
	Review string `path:"review"`
	Text   string `json:"text" required:"true" minLength:"1" maxLength:"2000" pattern:"\\S"`
}

// Moderation is what the operator does with a review.
type Moderation struct {
	Review string `path:"review"`
	Action string `json:"action" required:"true" enum:"hide,show"`
	Reason string `json:"reason,omitempty" enum:"insult,personal_data,advertising,off_topic,unlawful,other"`
}

// OfferReviewsInput asks for what is said of an offer.
type OfferReviewsInput struct {
	Offer string `path:"offer"`
	rest.Paging
}

// ReviewsInput asks for reviews.
type ReviewsInput struct {
	State string `query:"state" enum:"shown,hidden"`
	rest.Paging
}

// ReviewView is a review as the API shows it. Who wrote it is not told.
type ReviewView struct {
	ID        string     `json:"id" required:"true"`
	Offer     string     `json:"offer" required:"true"`
	Variant   string     `json:"variant" required:"true"`
	Stars     int        `json:"rating" required:"true"`
	Text      string     `json:"text" required:"true"`
	CreatedAt time.Time  `json:"created_at" required:"true"`
	Reply     string     `json:"reply,omitempty"`
	RepliedAt *time.Time `json:"replied_at,omitempty"`
	Order     string     `json:"order,omitempty" description:"Only for those who may see it."`
	State     string     `json:"state,omitempty" enum:",shown,hidden"`
	Reason    string     `json:"reason,omitempty" description:"Why it is hidden."`
}

func (r Review) view(to auth.Role) ReviewView {
	v := ReviewView{ID: r.ID, Offer: r.Offer, Variant: r.Variant, Stars: r.Stars, Text: r.Text, CreatedAt: r.CreatedAt.UTC(), Reply: r.Reply, RepliedAt: rest.UTC(r.RepliedAt)}
	if to != auth.Guest {
		v.Order, v.State, v.Reason = r.Order, r.State, r.Reason
	}
	return v
}

// MessageInput is what somebody writes.
type MessageInput struct {
	Order string   `path:"order"`
	Text  string   `json:"text" required:"true" minLength:"1" maxLength:"2000"`
	Files []string `json:"files,omitempty" maxItems:"4" uniqueItems:"true" description:"Files of the sender's, of kind proof."`
}

// MessagesInput asks for the messages of an order.
type MessagesInput struct {
	Order string `path:"order"`
	rest.Paging
}

// MessageFileInput names a file of a message.
type MessageFileInput struct {
	Message string `path:"message"`
	File    string `path:"file"`
}

// MessageView is a message as the API shows it.
type MessageView struct {
	ID     string    `json:"id" required:"true"`
	Sender string    `json:"sender" required:"true" enum:"buyer,seller"`
	Text   string    `json:"text" required:"true"`
	Files  []string  `json:"files" required:"true" description:"Where they are."`
	At     time.Time `json:"at" required:"true"`
}

func (m Message) view() MessageView {
	v := MessageView{m.ID, m.Sender, m.Text, []string{}, m.At.UTC()}
	for _, f := range m.Files {
		v.Files = append(v.Files, "/v1/messages/"+m.ID+"/files/"+f)
	}
	return v
}
