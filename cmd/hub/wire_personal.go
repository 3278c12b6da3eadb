package main

import (
	"fmt"
	"log/slog"
	"strings"

	"tiwiza/marketplace/accords"
	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/digital"
	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/groupbuys"
	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/notices"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/policies"
	"tiwiza/marketplace/pools"
	"tiwiza/marketplace/privacy"
	"tiwiza/marketplace/promotions"
	"tiwiza/marketplace/quotations"
	"tiwiza/marketplace/relations"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// holding are the rooms with personal data, as they forget: whoever is to be forgotten
// signs in no more before the others do.
type holding struct {
	members    *members.Service
	orders     *orders.Service
	charges    *charges.Service
	escrows    *escrow.Service
	disputes   *disputes.Service
	quotations *quotations.Service
	groups     *groupbuys.Service
	pools      *pools.Service
	agreed     *agreements.Service
	wares      *digital.Service
	files      *media.Service
	cover      *policies.Service
	points     *loyalty.Service
	offs       *promotions.Service
	known      *relations.Service
	told       *notices.Service
	enrol      *enrolment.Service
}

func (h holding) rooms() []personal.Holder {
	return []personal.Holder{
		h.members.Personal(), h.orders.Personal(), h.charges.Personal(), h.escrows.Personal(), h.disputes.Personal(), h.quotations.Personal(), h.groups.Personal(),
		h.pools.Personal(), h.agreed.Personal(), h.wares.Personal(), h.files.Personal(), h.cover.Personal(), h.points.Personal(), h.offs.Personal(), h.known.Personal(),
		h.enrol.Personal(), accords.Personal(), rest.Answers(), h.told.Personal(),
	}
}

// privacy is what the market owes people about their data.
func (h holding) privacy(store *pg.Store, o options) *privacy.Service {
	return privacy.New(store, privacy.Needs{
		People: h.members, Holders: h.rooms(), Courier: h.told, Letters: h.known, Systems: h.known, Vault: o.Papers, Numbers: o.CNDP, URL: o.PublicURL,
	})
}

// declaring is the setting of what the data protection commission knows.
type declaring struct {
	CNDP map[string]string `help:"Numbers of the CNDP's receipts and authorisations, by processing as GET /v1/processings names it, as orders=D-1/2026;marketing=A-2/2026; all=… is the general one. Without one a page says that the declaration is under way." env:"HUB_CNDP"`
}

// numbers reads them. Production says aloud what has none.
func (d declaring) numbers(demo bool) (privacy.Numbers, error) {
	n := privacy.Numbers(d.CNDP)
	if err := n.Check(); err != nil {
		return nil, fmt.Errorf("read HUB_CNDP: %w", err)
	}
	if missing := n.Missing(); len(missing) > 0 && !demo {
		slog.Warn("the CNDP has given no number for these processings; each page about them says so", "processings", strings.Join(missing, " "))
	}
	return n, nil
}
