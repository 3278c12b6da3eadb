package members

import (
	"net/http"

	"tiwiza/pkg/rest"
)

// applicationRoutes are how somebody begins by itself.
func applicationRoutes(s *Service) []rest.Route {
	const org = "/v1/organisations/{org}"
	return []rest.Route{
		rest.Commit("POST", "/v1/applications", "organisations.apply", "Begin an organisation's application, as its first manager", http.StatusCreated, s.Apply,
			rest.About("For a person who signed in. It has three under way at most. The ICE of a member is refused; a draft reserves none.")),
		rest.Handle("PUT", org+"/application", "organisations.amend", "Change what an applicant says of itself, before it is decided on", http.StatusOK, s.Amend),
		rest.Commit("POST", org+"/withdraw", "organisations.withdraw", "Withdraw an application for good", http.StatusOK, s.Withdraw),
	}
}

// Said is what an applicant says of itself.
type Said struct {
	Names   Texts  `json:"names" required:"true" description:"By language; French at least."`
	Legal   *Legal `json:"legal,omitempty"`
	Region  string `json:"region,omitempty" enum:"MA-01,MA-02,MA-03,MA-04,MA-05,MA-06,MA-07,MA-08,MA-09,MA-10,MA-11,MA-12" description:"The commune's own when left out."`
	Commune string `json:"commune" required:"true" minLength:"1" maxLength:"100"`
}

// Application is a new organisation, on its own people's word. Institutions, banks
// and insurers are written down by the operator.
type Application struct {
	Kind Kind `json:"kind" required:"true" enum:"beneficiary_coop,auto_entrepreneur,service_provider"`
	Said
}

// Amendment is what an applicant says of itself now.
type Amendment struct {
	Org string `path:"org"`
	Said
}
