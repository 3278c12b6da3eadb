package authz_test

import (
	"maps"

	"tiwiza/pkg/auth"
)

func init() {
	theirs := map[auth.Role]string{auth.Buyer: "own", auth.Seller: "own", auth.Institution: "own", auth.Provider: "own", auth.Operator: "*"}
	maps.Copy(matrix, map[string]map[auth.Role]string{
		"events.types":          everyone,
		"events.list":           theirs,
		"webhooks.create":       theirs,
		"webhooks.list":         theirs,
		"webhooks.show":         theirs,
		"webhooks.change":       theirs,
		"webhooks.delete":       theirs,
		"webhooks.rotate":       theirs,
		"webhooks.test":         theirs,
		"webhooks.replay":       theirs,
		"webhooks.replay_event": theirs,
		"webhooks.deliveries":   theirs,
	})
}
