// Package audit writes the trail: who did what, when, and which policy allowed
// it. Rows are only ever added.
package audit

import (
	"tiwiza/pkg/pg"
	"tiwiza/pkg/seal"
)

// Chain seals the trail.
var Chain = seal.Chain{Row: "audit", View: "platform.audit_sealable", Blocks: "platform.audit_block"}

// Record adds a row to the trail in the caller's unit of work. The actor is the
// principal of that unit and the time is the hub's; action is the route's name,
// subject the id of what was acted on, policy the id of the policy that allowed
// it. detail is written as JSON; nil writes none.
func Record(tx *pg.Tx, action, subject, policy string, detail any) {
	if detail == nil {
		detail = struct{}{}
	}
	insert(tx, action, subject, policy, detail)
}
