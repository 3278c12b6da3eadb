package messages

import (
	"encoding/json"
	"net/http"
	"strings"

	"tiwiza/cmd/hubsim/internal/provider"
	"tiwiza/cmd/hubsim/internal/world"
)

// postWhatsApp takes one template message in. The platform would know the
// template's text; here its name and what it says are shown.
func (m *Messages) postWhatsApp(rw http.ResponseWriter, r *http.Request) {
	if !provider.Same(r.Header.Get("Authorization"), "Bearer "+m.Secrets.APIKey) {
		problem(rw, http.StatusUnauthorized, 190, "invalid access token")
		return
	}
	var in struct {
		To       string
		Type     string
		Ref      string `json:"biz_opaque_callback_data"`
		Template struct {
			Name       string
			Language   struct{ Code string }
			Components []struct{ Parameters []struct{ Text string } }
		}
	}
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, provider.MaxBody))
	if err := d.Decode(&in); err != nil || in.Type != "template" || in.Template.Name == "" {
		problem(rw, http.StatusBadRequest, 100, "invalid parameter")
		return
	}
	var says []string
	for _, c := range in.Template.Components {
		for _, p := range c.Parameters {
			says = append(says, p.Text)
		}
	}
	text := "[" + in.Template.Name + ", " + in.Template.Language.Code + "] " + strings.Join(says, " · ")
	m.hand(rw, r, world.WhatsApp, message{Ref: in.Ref, Channel: "whatsapp", From: r.PathValue("phone"), To: "+" + in.To, Text: text}, answers{
		taken: func(id string) (int, any) {
			return http.StatusOK, map[string]any{"messaging_product": "whatsapp", "messages": []map[string]string{{"id": "wamid." + id}}}
		},
		refused: func() (int, any) { return http.StatusBadRequest, failure(131026, "message undeliverable") },
	})
}

func problem(rw http.ResponseWriter, status, code int, text string) {
	say(rw, status, failure(code, text), false)
}

func failure(code int, text string) map[string]any {
	return map[string]any{"error": map[string]any{"message": text, "type": "OAuthException", "code": code}}
}
