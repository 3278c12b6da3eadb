package notices_test

import (
	"strings"
	"testing"

	"tiwiza/marketplace/diagnosis"
	"tiwiza/marketplace/notices"
	"tiwiza/marketplace/procedures"
	"tiwiza/pkg/id"
)

// What a case is called is said in the language of whoever is told; where it has no
// name in it, in French.
func TestCasesAreToldInTheLanguageOfWhomTheyConcern(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	member, office := id.New(id.Organisation), id.New(id.Organisation)
	p.people[member], p.people[office] = []notices.Address{{Phone: "+212600000001", Lang: "ar"}}, []notices.Address{{Phone: "+212600000002", Lang: "en"}}
	for _, c := range []struct {
		move procedures.Move
		desk string
		to   string
		want []string
	}{
		{procedures.Ask, "", "+212600000001", []string{"تسجيل", "/v/demarches/"}},
		{procedures.Resume, office, "+212600000002", []string{"no answer in time about", "Enregistrement", "/i/"}},
		{procedures.Strand, office, "+212600000001", []string{"لم تعد تعمل هنا", "تسجيل", "/v/demarches/"}},
		{procedures.Entrust, "", "+212600000001", []string{"هيئة أخرى تتولى", "/v/demarches/"}},
		{procedures.Propose, office, "+212600000002", []string{"waits for a second person", "/i/"}},
	} {
		before := len(p.sms.sent())
		p.publish(procedures.CaseMoved{Case: id.New(id.Case), Names: map[string]string{"fr": "Enregistrement", "ar": "تسجيل"}, Move: c.move, Applicant: member, Institution: office, Holder: office, Desk: c.desk})
		sent := p.sms.sent()[before:]
		if len(sent) != 1 || sent[0].To != c.to {
			t.Errorf("%s is told as %+v", c.move, sent)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(sent[0].Text, want) {
				t.Errorf("%s is told as %q, want %q", c.move, sent[0].Text, want)
			}
		}
	}
}

// So is what a check-up is called.
func TestCheckUpsAreNamedInTheLanguageOfTheirMember(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	member := id.New(id.Organisation)
	p.people[member] = []notices.Address{{Phone: "+212600000001", Lang: "ar"}}
	p.publish(diagnosis.Due{Organisation: member, Questionnaire: "numerique", Names: map[string]string{"fr": "Diagnostic numérique", "ar": "التشخيص الرقمي"}, Diagnostic: id.New(id.Diagnostic)})
	if sent := p.sms.sent(); len(sent) != 1 || !strings.Contains(sent[0].Text, "«التشخيص الرقمي»") {
		t.Errorf("it is told as %+v", sent)
	}
}
