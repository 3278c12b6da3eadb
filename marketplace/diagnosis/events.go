package diagnosis

import (
	"context"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Moved says that a diagnostic was begun, finished or given up. It says nothing of what
// came out: events and the trail are read by the market's people too.
type Moved struct {
	Diagnostic    string        `json:"diagnostic"`
	Organisation  string        `json:"organisation"`
	Questionnaire string        `json:"questionnaire"`
	Version       int           `json:"version"` // of the questionnaire
	Names         members.Texts `json:"names"`
	State         State         `json:"state"`
}

// EventType names the event.
func (Moved) EventType() string { return "diagnosis.moved" }

// Subject is the diagnostic.
func (e Moved) Subject() string { return e.Diagnostic }

// Due says that an organisation's last diagnostic is long ago.
type Due struct {
	Organisation  string        `json:"organisation"`
	Questionnaire string        `json:"questionnaire"`
	Names         members.Texts `json:"names"`
	Diagnostic    string        `json:"diagnostic"` // the last that was finished
	FinishedAt    time.Time     `json:"finished_at"`
}

// EventType names the event.
func (Due) EventType() string { return "diagnosis.due" }

// Subject is the diagnostic.
func (e Due) Subject() string { return e.Diagnostic }

// QuestionnairePublished says that there is a new version of a questionnaire.
type QuestionnairePublished struct {
	Questionnaire string        `json:"questionnaire"`
	Version       int           `json:"version"`
	Names         members.Texts `json:"names"`
}

// EventType names the event.
func (QuestionnairePublished) EventType() string { return "diagnosis.questionnaire_published" }

// Subject is the questionnaire.
func (e QuestionnairePublished) Subject() string { return "questionnaire_" + e.Questionnaire }

// Tell publishes what members hear of their diagnostics.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A diagnostic of the organisation was begun, finished or given up.", func(_ context.Context, _ *pg.Tx, e Moved) (map[string]Moved, error) {
		return map[string]Moved{e.Organisation: e}, nil
	})
	event.Tell(bus, 1, "The organisation's last diagnostic is long ago.", func(_ context.Context, _ *pg.Tx, e Due) (map[string]Due, error) {
		return map[string]Due{e.Organisation: e}, nil
	})
}
