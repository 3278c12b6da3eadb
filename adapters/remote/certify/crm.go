package certify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/adapters/remote"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

const crmPath = "/crm/v1"

// crmSteps are those of customer relation systems.
type crmSteps struct {
	Contact  *contactStep  `yaml:"contact"`
	Deal     *dealStep     `yaml:"deal"`
	Points   *pointsStep   `yaml:"points"`
	Known    *knownStep    `yaml:"known"`
	Wish     *wishStep     `yaml:"wish"`
	Leaves   *ofStep       `yaml:"leaves"`
	Refusing *refusingStep `yaml:"refusing"`
	Erase    *eraseStep    `yaml:"erase"`
	Crowded  *struct{}     `yaml:"crowded"`
	Keep     *keepStep     `yaml:"keep"`
}

type (
	ofStep struct {
		Of string `yaml:"of"`
	}
	contactStep struct {
		As      string `yaml:"as"`
		Of      string `yaml:"of"`
		Change  string `yaml:"change"` // name, email, phone, withdrawn, agreed
		Magic   string `yaml:"magic"`
		Wrong   string `yaml:"wrong"` // phone, address, withdrawn
		Beside  int    `yaml:"beside"`
		Refused string `yaml:"refused"` // by which code; any for any
		Wait    bool   `yaml:"wait"`    // the answer says for how long to stay away
		how     `yaml:",inline"`
	}
	dealStep struct {
		As      string    `yaml:"as"`
		Of      string    `yaml:"of"`
		Contact string    `yaml:"contact"`
		Stage   crm.Stage `yaml:"stage"`
		Wrong   string    `yaml:"wrong"` // contact
		Refused string    `yaml:"refused"`
	}
	pointsStep struct {
		Of      string `yaml:"of"`
		Points  int64  `yaml:"points"`
		Version int64  `yaml:"version"`
		Late    bool   `yaml:"late"` // what stands already holds
	}
	knownStep struct {
		Of     string `yaml:"of"`
		Absent bool   `yaml:"absent"`
		Nobody bool   `yaml:"nobody"` // an order that names nobody any more
		Token  string `yaml:"token"`
		Status int    `yaml:"status"`
		Code   string `yaml:"code"`
	}
	wishStep struct {
		Of      string `yaml:"of"`
		Granted bool   `yaml:"granted"`
		Refused string `yaml:"refused"`
	}
	refusingStep struct {
		Of  []string `yaml:"of"`
		Who []string `yaml:"who"`
	}
	eraseStep struct {
		Of      string `yaml:"of"`
		Unknown bool   `yaml:"unknown"`
	}
	keepStep struct {
		Contacts int `yaml:"contacts"`
		Deals    int `yaml:"deals"`
	}
)

// A person is somebody invented, as the system was told last.
type person struct {
	crm.Contact
	points *crm.Points
}

// A relation is what crm.v1's cases were played with.
type relation struct {
	crm    *crm.CRM // the hub's own
	people map[string]*person
	deals  map[string]*crm.Deal
}

// related makes the hub's driver ready, once the manifest was read.
func (r *runner) related(c remote.Capability) {
	patient := outbound.Settings{Consecutive: 1000, Volume: 1000, Rate: 1000, Burst: 1000}
	r.relation = &relation{crm: crm.New("certified", remote.NewCRM(r.line, c.Features), crm.Options{Lane: patient}), people: map[string]*person{}, deals: map[string]*crm.Deal{}}
}

// relate does a step of customer relation systems, if it is one.
func (r *runner) relate(ctx context.Context, s crmSteps) (done bool, err error) {
	switch {
	case s == (crmSteps{}):
		return false, nil
	case s.Crowded != nil:
		name, _ := capability(r.protocol)
		return true, r.sandbox(ctx, "/"+name+"/v1/sandbox/busy", struct{}{})
	case r.relation == nil:
		return true, errUnread
	}
	switch {
	case s.Contact != nil:
		return true, r.contact(ctx, *s.Contact)
	case s.Deal != nil:
		return true, r.deal(ctx, *s.Deal)
	case s.Points != nil:
		return true, r.points(ctx, *s.Points)
	case s.Known != nil:
		return true, r.told(ctx, *s.Known)
	case s.Wish != nil:
		return true, r.wish(ctx, *s.Wish)
	case s.Leaves != nil:
		return true, r.leaves(ctx, s.Leaves.Of)
	case s.Refusing != nil:
		return true, r.refusing(ctx, *s.Refusing)
	case s.Erase != nil:
		return true, r.erase(ctx, *s.Erase)
	}
	return true, r.keep(ctx, *s.Keep)
}

// sandbox asks a sandbox for something.
func (r *runner) sandbox(ctx context.Context, path string, in any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	a, err := r.call(ctx, http.MethodPost, path, "", "", body)
	if err != nil {
		return err
	}
	return is("POST "+path, a, []int{200}, "")
}

// phone is a number that nobody has, and that ends so.
func (r *runner) phone(magic string) string {
	if magic == "" {
		magic = "00"
	}
	return fmt.Sprintf("+2126%06d%s", r.random.IntN(1_000_000), magic)
}

func (r *runner) invent(magic string) *person {
	r.serial++
	who := id.New(id.Person)
	return &person{Contact: crm.Contact{
		ID: who, Name: fmt.Sprintf("Exemple «É» \"%d\" \\ <b> الاسم", r.serial), Email: strings.TrimPrefix(who, "per_") + "@exemple.ma", Phone: r.phone(magic), Lang: "fr",
	}}
}

func (r *runner) who(name string) (*person, error) {
	if p := r.relation.people[name]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("the case makes no person %q", name)
}

// wanted is a person as a step wants it: a new one, or one from before that changed.
func (r *runner) wanted(s contactStep) (p *person, err error) {
	if s.Of != "" {
		if p, err = r.who(s.Of); err != nil {
			return nil, err
		}
	} else {
		p = r.invent(s.Magic)
		r.relation.people[s.As] = p
	}
	switch s.Change {
	case "name":
		p.Name = "Autre nom (exemple)"
	case "email":
		p.Email = "autre." + p.Email
	case "phone":
		p.Phone = r.phone("")
	case "withdrawn", "agreed":
		p.Withdrawn = s.Change == "withdrawn"
	}
	switch s.Wrong {
	case "phone":
		p.Phone = "0612345678"
	case "address":
		p.Phone, p.Email = "", ""
	case "withdrawn":
		p.Withdrawn = true
	}
	return p, nil
}

// contact puts a person, as the hub does, and holds the answer to what is wanted.
func (r *runner) contact(ctx context.Context, s contactStep) error {
	p, err := r.wanted(s)
	if err != nil {
		return err
	}
	all := []crm.Contact{p.Contact}
	for range s.Beside { // others who are not taken, so that it stands among them
		other := r.invent("01").Contact
		all = slices.Insert(all, r.random.IntN(len(all)+1), other)
	}
	body, err := remote.RenderContacts(all)
	if err != nil {
		return err
	}
	if s.Half {
		return r.halfOf(ctx, crmPath+"/contacts", "", body)
	}
	// Of those that come at once each has a name of its own, until all have said which.
	remotes := make(chan string, max(s.Times, s.AtOnce, 1))
	err = together(s.how, func() error {
		remote, err := r.contactOnce(ctx, s, p.ID, len(all), body)
		remotes <- remote
		return err
	})
	close(remotes)
	for remote := range remotes {
		if remote != "" && p.RemoteID != "" && remote != p.RemoteID {
			err = errors.Join(err, fmt.Errorf("contact %s put again is %s, and was %s", p.ID, remote, p.RemoteID))
		}
		if remote != "" {
			p.RemoteID = remote
		}
	}
	return err
}

func (r *runner) contactOnce(ctx context.Context, s contactStep, who string, n int, body []byte) (remote string, err error) {
	a, err := r.call(ctx, http.MethodPost, crmPath+"/contacts", "", s.Token, body)
	switch {
	case s.Lost && err != nil:
		return "", nil
	case s.Lost:
		return "", fmt.Errorf("the sandbox answers %d to a number that ends in 03; it shall keep it and lose its answer", a.Status)
	case err != nil:
		return "", err
	}
	status := s.Status
	if len(status) == 0 {
		status = []int{200}
	}
	if err := is("a contact", a, status, s.Code); err != nil || a.Status != 200 {
		if wait := a.Header.Get("Retry-After"); err == nil && s.Wait && (wait == "" || wait == "0") {
			err = fmt.Errorf("a contact is answered %d without Retry-After", a.Status)
		}
		return "", err
	}
	var told struct {
		Data []struct {
			ID       string `json:"id"`
			RemoteID string `json:"remote_id"`
			Refused  string `json:"refused"`
		} `json:"data"`
	}
	if err := strict.Object(a.Body, &told); err != nil {
		return "", fmt.Errorf("the answer about contacts: %w", err)
	}
	if len(told.Data) != n {
		return "", fmt.Errorf("of %d contacts the answer names %d: %s", n, len(told.Data), short(a.Body))
	}
	for _, one := range told.Data {
		if one.ID != who {
			continue
		}
		return one.RemoteID, refusedBy("contact "+who, one.Refused, s.Refused)
	}
	return "", fmt.Errorf("the answer does not name contact %s: %s", who, short(a.Body))
}

// refusedBy holds a refusal, or that there is none, to what is wanted.
func refusedBy(what, code, want string) error {
	if code == want || want == "any" && code != "" {
		return nil
	}
	if code == "" {
		code = "nothing"
	}
	if want == "" {
		return fmt.Errorf("%s is refused as %s", what, code)
	}
	return fmt.Errorf("%s is refused as %s, want %s", what, code, want)
}

// one is what became of the one that was put.
func one(what string, puts []crm.Put, res outbound.Result) (crm.Put, error) {
	if res.Outcome != outbound.Succeeded || len(puts) != 1 {
		return crm.Put{}, because(what, res)
	}
	return puts[0], nil
}

func (r *runner) deal(ctx context.Context, s dealStep) error {
	d := r.relation.deals[s.Of]
	if d == nil {
		d = &crm.Deal{
			ID: id.New(id.Order), Name: "Commande (exemple)", Amount: money.Dirhams(100 + r.random.Int64N(1_000_000)), At: r.o.Now().UTC().Truncate(time.Second), ContactID: "certify-nobody",
		}
		if s.Wrong == "" {
			p, err := r.who(s.Contact)
			if err != nil {
				return err
			}
			d.ContactID = p.RemoteID
		}
		r.relation.deals[s.As] = d
	}
	d.Stage = s.Stage
	puts, res := r.relation.crm.PutDeals(ctx, []crm.Deal{*d})
	put, err := one("deal "+d.ID, puts, res)
	switch {
	case err != nil:
		return err
	case d.RemoteID != "" && put.RemoteID != d.RemoteID:
		return fmt.Errorf("deal %s put again is %s, and was %s", d.ID, put.RemoteID, d.RemoteID)
	}
	d.RemoteID = put.RemoteID
	return refusedBy("deal "+d.ID, put.Refused, s.Refused)
}

func (r *runner) points(ctx context.Context, s pointsStep) error {
	p, err := r.who(s.Of)
	if err != nil {
		return err
	}
	x := crm.Points{ID: p.ID, ContactID: p.RemoteID, Points: s.Points, Tier: "or", Version: s.Version}
	puts, res := r.relation.crm.PutPoints(ctx, []crm.Points{x})
	put, err := one("points of "+p.ID, puts, res)
	if err != nil {
		return err
	}
	if !s.Late {
		p.points = &x
	}
	return refusedBy("points of "+p.ID, put.Refused, "")
}

func (r *runner) wish(ctx context.Context, s wishStep) error {
	p, err := r.who(s.Of)
	if err != nil {
		return err
	}
	res := r.relation.crm.Wish(ctx, crm.Wish{Email: p.Email, Granted: s.Granted, Why: "certify"})
	switch {
	case s.Refused != "" && res.Outcome == outbound.Declined:
		return refusedBy("the wish of "+p.ID, res.Code, s.Refused)
	case s.Refused != "":
		return fmt.Errorf("who left at the system itself is brought back by the hub: %s, want 422 %s", res.Outcome, s.Refused)
	case res.Outcome != outbound.Succeeded:
		return because("the wish of "+p.ID, res)
	}
	return nil
}

func (r *runner) leaves(ctx context.Context, name string) error {
	p, err := r.who(name)
	if err != nil {
		return err
	}
	return r.sandbox(ctx, crmPath+"/sandbox/leave", map[string]string{"email": p.Email})
}

func (r *runner) refusing(ctx context.Context, s refusingStep) error {
	var asked, want []string
	for _, name := range s.Of {
		p, err := r.who(name)
		if err != nil {
			return err
		}
		if asked = append(asked, p.Email); slices.Contains(s.Who, name) {
			want = append(want, p.Email)
		}
	}
	got, res := r.relation.crm.Refusing(ctx, append(asked, "personne.certify@exemple.ma"))
	if res.Outcome != outbound.Succeeded {
		return because("who refuses", res)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("those who refuse are %q, want %q", got, want)
	}
	return nil
}

func (r *runner) erase(ctx context.Context, s eraseStep) error {
	p, err := r.who(s.Of)
	if err != nil {
		return err
	}
	proof, res := r.relation.crm.Erase(ctx, crm.Erasure{ID: p.ID, RemoteID: p.RemoteID})
	switch {
	case res.Outcome != outbound.Succeeded:
		return because("to forget contact "+p.ID, res)
	case s.Unknown != (len(proof.RemoteIDs) == 0):
		return fmt.Errorf("asked to forget contact %s it says that it forgot %q", p.ID, proof.RemoteIDs)
	}
	return nil
}
