package notices

import (
	"context"
	"maps"
	"slices"
	"strings"

	"tiwiza/adapters/notify"
	"tiwiza/marketplace/accords"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// SettingsView is how somebody wishes to be told.
type SettingsView struct {
	Lang     string     `json:"lang" required:"true" description:"fr, ar, zgh or en; empty: as it comes."`
	Channels []string   `json:"channels" required:"true" description:"In the order in which they are tried."`
	Digest   bool       `json:"digest" required:"true" description:"What can wait comes as one message a day, at seven in the evening."`
	Phone    string     `json:"phone" required:"true" description:"Of an organisation; masked."`
	Email    string     `json:"email" required:"true" description:"Of an organisation; masked."`
	Kinds    []KindView `json:"kinds" required:"true"`
	Text     string     `json:"text" required:"true" description:"What one says by choosing; it stands in the ledger with each choice."`
	TextHash string     `json:"text_hash" required:"true" description:"Its SHA-256."`
}

// KindView is one kind of notice.
type KindView struct {
	Kind     Kind   `json:"kind" required:"true"`
	Title    string `json:"title" required:"true"`
	Required bool   `json:"required" required:"true" description:"The law or safety asks for it: it cannot be switched off."`
	Off      bool   `json:"off" required:"true"`
}

// SettingsInput says how somebody wishes to be told; what is left out becomes the
// market's own way again.
type SettingsInput struct {
	Lang     string   `json:"lang,omitempty" enum:"fr,ar,zgh,en"`
	Channels []string `json:"channels,omitempty" maxItems:"3" description:"sms, whatsapp and email, in the order in which they shall be tried."`
	Off      []string `json:"off,omitempty" maxItems:"100" description:"Kinds that shall not be told."`
	Digest   bool     `json:"digest,omitempty"`
	Phone    string   `json:"phone,omitempty" maxLength:"20" description:"Where an organisation is told, in international form; its people's own when left out."`
	Email    string   `json:"email,omitempty" maxLength:"200"`
}

func (s Settings) view(ways []notify.Channel) SettingsView {
	t := accords.Current(accords.Notices, s.Lang)
	v := SettingsView{Lang: s.Lang, Channels: s.Channels, Digest: s.Digest, Kinds: []KindView{}, Text: t.Says, TextHash: t.Hex()}
	if len(v.Channels) == 0 {
		for _, c := range ways {
			v.Channels = append(v.Channels, string(c))
		}
	}
	if s.Phone != "" {
		v.Phone = notify.Mask(s.Phone)
	}
	if s.Email != "" {
		v.Email = notify.Mask(s.Email)
	}
	for _, k := range Kinds() {
		sp := k.spec()
		v.Kinds = append(v.Kinds, KindView{k, sp.subject[language(s.Lang)], sp.Required, s.Muted(k)})
	}
	return v
}

// Show shows the caller's wishes.
func (s *Service) Show(ctx context.Context, _ rest.None) (SettingsView, error) {
	own, err := settingsOf(ctx, s.db, auth.From(ctx).Subject)
	return own.view(s.Ways), err
}

// check finds what is wrong with wishes of an owner.
func (in SettingsInput) check(owner string) error {
	var wrong *fault.Error
	at := func(pointer, detail string) {
		if wrong == nil {
			wrong = ErrInvalid
		}
		wrong = wrong.At(pointer, detail)
	}
	for i, c := range in.Channels {
		if !slices.Contains(usual, notify.Channel(c)) || slices.Contains(in.Channels[:i], c) {
			at("/channels", "Name sms, whatsapp and email, each once.")
			break
		}
	}
	for _, k := range in.Off {
		switch {
		case !Kind(k).Known():
			at("/off", "There is no kind "+line(k, longest)+".")
		case Kind(k).spec().Required:
			at("/off", k+" cannot be switched off: the law or your safety asks for it.")
		}
	}
	if (in.Phone != "" || in.Email != "") && !id.Is(id.Organisation, owner) {
		at("/phone", "People are told at their own number and address; change them where you sign in.")
	}
	if in.Phone != "" && !notify.IsPhone(in.Phone) {
		at("/phone", "Give a number in international form, such as +212612345678.")
	}
	if in.Email != "" && !notify.IsEmail(in.Email) {
		at("/email", "Give an address such as nom@exemple.ma.")
	}
	if wrong == nil {
		return nil
	}
	return wrong
}

// Wish changes how the caller is told. Whoever was told at another number or
// address hears of that there.
func (s *Service) Wish(ctx context.Context, tx *pg.Tx, in SettingsInput) (v SettingsView, err error) {
	owner := auth.From(ctx).Subject
	if err := in.check(owner); err != nil {
		return v, err
	}
	was, err := lockSettings(ctx, tx, owner)
	if err != nil {
		return v, err
	}
	now := was
	now.Lang, now.Channels, now.Digest, now.Phone, now.Email = in.Lang, in.Channels, in.Digest, in.Phone, strings.ToLower(in.Email)
	now.Off, now.ChangedAt = slices.Compact(slices.Sorted(slices.Values(in.Off))), tx.Now()
	if now.Channels == nil {
		now.Channels = []string{}
	}
	if now.Off == nil {
		now.Off = []string{}
	}
	if now.Phone != was.Phone || now.Email != was.Email {
		if err := s.warn(ctx, tx, owner); err != nil {
			return v, err
		}
	}
	said, err := accords.Newest(ctx, tx, owner, accords.Notices)
	if err != nil {
		return v, err
	}
	saveSettings(tx, now)
	for _, a := range now.accords(ctx, said) {
		accords.Record(tx, a)
	}
	audit.Record(tx, "notices.wish", owner, authz.Policy(ctx), map[string]any{"channels": now.Channels, "off": now.Off, "digest": now.Digest, "address_changed": now.Phone != was.Phone || now.Email != was.Email})
	return now.view(s.Ways), tx.Publish(ctx, Changed{owner})
}

// accords are what the wishes say that differs from what was said last of each channel
// and kind, as the ledger writes it. Of what nothing was said, one is told.
func (s Settings) accords(ctx context.Context, said map[string]accords.Word) (all []accords.Accord) {
	told := map[string]bool{}
	for about := range said {
		told[about] = true
	}
	for _, c := range usual {
		told[string(c)] = len(s.Channels) == 0 || slices.Contains(s.Channels, string(c))
	}
	for _, k := range s.Off {
		told[k] = false
	}
	for _, about := range slices.Sorted(maps.Keys(told)) {
		was, known := said[about]
		if told[about] == (!known || was == accords.Given) {
			continue
		}
		t := accords.Current(accords.Notices, s.Lang)
		a := accords.Accord{Who: s.Owner, Subject: accords.Notices, About: about, Word: accords.Refused, Text: &t, Channel: accords.ChannelOf(ctx)}
		switch {
		case told[about]:
			a.Word = accords.Given
		case was == accords.Given:
			a.Word = accords.Withdrawn
		}
		all = append(all, a)
	}
	return all
}

// warn tells whoever was told until now that it is told elsewhere.
func (s *Service) warn(ctx context.Context, tx *pg.Tx, owner string) error {
	all, err := s.addresses(ctx, tx, owner)
	if err != nil || len(all) == 0 {
		return err
	}
	return s.TellOwner(ctx, tx, Telling{Owner: owner, Kind: AddressChanged, Params: map[string]string{"link": s.URL + "/aide"}})
}
