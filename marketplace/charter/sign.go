package charter

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// what names exactly what is signed, so that a code or a passkey signs nothing else.
func what(org string, v Version) string {
	return fmt.Sprintf("charter %s %d %s", org, v.Number, v.Hex())
}

// signable is the version that a caller may sign, whose text it was shown. It is the
// one in force or one to come.
func (s *Service) signable(ctx context.Context, db pg.DB, number int, sum, lang string, day time.Time) (Version, error) {
	v, err := loadVersion(ctx, db, number)
	if err != nil {
		return v, err
	}
	now, err := inForce(ctx, db, day)
	switch {
	case err != nil && !errors.Is(err, ErrNone):
		return v, err
	case err == nil && v.Number < now.Number:
		return v, ErrOld
	case v.Hex() != sum:
		return v, ErrOther
	case lang != "" && !v.in(lang):
		return v, ErrInvalid.At("/lang", "The charter is not written in this language.")
	}
	return v, nil
}

// AskCode sends the caller, or the member whom an agent helps, the code by which it
// signs this very text for its organisation.
func (s *Service) AskCode(ctx context.Context, in AskInput, from members.Origin) (v members.CodeView, err error) {
	ver, err := s.asked(ctx, in)
	if err != nil {
		return v, err
	}
	return s.Members.AskSigning(ctx, what(in.Org, ver), from)
}

// AskPasskey asks for one of the caller's own passkeys instead.
func (s *Service) AskPasskey(ctx context.Context, in AskInput) (v members.CeremonyView, err error) {
	ver, err := s.asked(ctx, in)
	if err != nil {
		return v, err
	}
	return s.Members.BeginSigning(ctx, what(in.Org, ver))
}

// asked is what the caller wants to sign.
func (s *Service) asked(ctx context.Context, in AskInput) (Version, error) {
	if auth.From(ctx).Subject != in.Org {
		return Version{}, ErrNotFound
	}
	day, err := s.today(ctx)
	if err != nil {
		return Version{}, err
	}
	return s.signable(ctx, s.db, in.Version, in.SHA256, "", day)
}

// Sign signs a version for the organisation at whose desk the caller sits, with a
// code or a passkey that is bound to this text; an agent signs with the member's
// code. To sign again what was signed answers the signature that is there.
func (s *Service) Sign(ctx context.Context, in SignInput, from members.Origin) (out SignatureView, err error) {
	if auth.From(ctx).Subject != in.Org {
		return out, ErrNotFound
	}
	var refused error
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		out, refused = SignatureView{}, nil
		o, err := s.signer(ctx, tx, in.Org)
		if err != nil {
			return err
		}
		v, err := s.signable(ctx, tx, in.Version, in.SHA256, in.Lang, today(tx.Now()))
		if err != nil {
			return err
		}
		if before, err := signed(ctx, tx, o.ID, v.Number); err != nil || len(before) > 0 {
			if err == nil {
				out = before[0].view()
			}
			return err
		}
		by, no, err := s.Members.Signs(ctx, tx, what(o.ID, v), in.Hand, from)
		if err != nil || no != nil {
			refused = no
			return err
		}
		g := Signature{
			ID: id.New(id.Signature), Organisation: o.ID, Version: v.Number, Digest: v.Digest, Lang: in.Lang,
			Method: ByCode, Proof: by.Proof, Person: by.Person, Agent: by.Agent, At: tx.Now(),
		}
		if by.Agent != "" {
			g.Method = ByAgent
		}
		out = g.view()
		return s.take(ctx, tx, o, v, g)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return SignatureView{}, err
	}
	return out, nil
}

// signer locks an organisation that may sign.
func (s *Service) signer(ctx context.Context, tx *pg.Tx, org string) (members.Organisation, error) {
	o, err := s.Members.Locked(ctx, tx, org)
	switch {
	case err != nil:
		return o, ErrNotFound.With(err)
	case o.Kind == members.Operator:
		return o, ErrNotFound
	case o.State == members.Terminated:
		return o, ErrEnded
	}
	return o, nil
}

// take writes a signature down: the organisation is bound by the version from its day
// on, and sells again when nothing else keeps it from that.
func (s *Service) take(ctx context.Context, tx *pg.Tx, o members.Organisation, v Version, g Signature) error {
	insertSignature(tx, g)
	o = s.Members.Bind(tx, o, g.Version, midnight(v.Since, 0))
	if _, err := s.Members.Lift(ctx, tx, o, members.LacksCharter); err != nil {
		return err
	}
	audit.Record(tx, "charter.sign", o.ID, authz.Policy(ctx), map[string]any{
		"signature": g.ID, "version": g.Version, "sha256": hex.EncodeToString(g.Digest), "lang": g.Lang, "method": g.Method, "proof": g.Proof,
		"person": g.Person, "agent": g.Agent, "paper": g.Paper, "signer": g.Signer,
	})
	return tx.Publish(ctx, Signed{o.ID, g.Version, g.Method, g.ID})
}

// HandIn enters a charter that was signed on paper. The market's people call it;
// another of them compares the scan.
func (s *Service) HandIn(ctx context.Context, tx *pg.Tx, in PaperInput) (out PaperView, err error) {
	o, err := s.signer(ctx, tx, in.Org)
	if err != nil {
		return out, err
	}
	v, err := s.signable(ctx, tx, in.Version, in.SHA256, in.Lang, today(tx.Now()))
	if err != nil {
		return out, err
	}
	before, err := signed(ctx, tx, o.ID, v.Number)
	if err == nil && len(before) > 0 {
		err = ErrState.Say("This organisation has signed version %d already.", v.Number)
	}
	if err != nil {
		return out, err
	}
	on, err := time.Parse(time.DateOnly, in.SignedOn)
	if err != nil || on.After(today(tx.Now())) || on.Before(today(v.PublishedAt)) {
		return out, ErrInvalid.At("/signed_on", "Give the day on the paper: not before this version was published, and not after today.")
	}
	p := Paper{
		ID: id.New(id.CharterPaper), Organisation: o.ID, Version: v.Number, Digest: v.Digest, Lang: in.Lang, Signer: in.Signer, SignedOn: on, File: in.File,
		State: Waiting, EnteredBy: auth.From(ctx).Person(), EnteredAt: tx.Now(),
	}
	if _, bad := hidden(p.Signer, false); bad {
		return out, ErrInvalid.At("/signer", "Write the name as it stands on the paper.")
	}
	insertPaper(tx, p)
	if err := tx.Flush(ctx); err != nil {
		return out, err
	}
	if _, err := s.Files.Use(ctx, tx, p.File, o.ID, media.Proof, p.ID); err != nil {
		return out, ErrInvalid.At("/file", "Upload the scan first, as a proof of this organisation.").With(err)
	}
	audit.Record(tx, "charter.hand_in", p.ID, authz.Policy(ctx), map[string]any{"organisation": o.ID, "version": v.Number})
	return p.view(), nil
}

// Accept takes a paper for a signature, on the word of another person than the one
// who entered it.
func (s *Service) Accept(ctx context.Context, tx *pg.Tx, in OnePaper) (out PaperView, err error) {
	o, p, err := s.decide(ctx, tx, in.Paper, Accepted, "")
	if err != nil {
		return out, err
	}
	v, err := s.signable(ctx, tx, p.Version, hex.EncodeToString(p.Digest), p.Lang, today(tx.Now()))
	if err != nil {
		return out, err
	}
	if before, err := signed(ctx, tx, o.ID, p.Version); err != nil || len(before) > 0 {
		if err == nil {
			err = ErrState.Say("This organisation has signed version %d meanwhile.", p.Version)
		}
		return out, err
	}
	savePaper(tx, p)
	g := Signature{
		ID: id.New(id.Signature), Organisation: o.ID, Version: p.Version, Digest: p.Digest, Lang: p.Lang,
		Method: ByPaper, Paper: &p.ID, Signer: p.Signer, At: tx.Now(),
	}
	audit.Record(tx, "charter.accept", p.ID, authz.Policy(ctx), map[string]any{"organisation": o.ID, "version": p.Version})
	return p.view(), s.take(ctx, tx, o, v, g)
}

// Refuse sends a paper back, and says why.
func (s *Service) Refuse(ctx context.Context, tx *pg.Tx, in RefuseInput) (out PaperView, err error) {
	_, p, err := s.decide(ctx, tx, in.Paper, Refused, in.Note)
	if err != nil {
		return out, err
	}
	savePaper(tx, p)
	audit.Record(tx, "charter.refuse", p.ID, authz.Policy(ctx), map[string]any{"organisation": p.Organisation, "version": p.Version, "note": in.Note})
	return p.view(), tx.Publish(ctx, PaperRefused{p.Organisation, p.Version, p.ID, p.Note})
}

// decide is a paper as it will be, with its organisation locked ahead of it.
func (s *Service) decide(ctx context.Context, tx *pg.Tx, paper string, to PaperState, note string) (o members.Organisation, p Paper, err error) {
	if p, err = loadPaper(ctx, tx, paper); err != nil {
		return o, p, err
	}
	o, err = s.signer(ctx, tx, p.Organisation)
	if err != nil && (to == Accepted || !errors.Is(err, ErrEnded)) { // the paper of who has left is sent back
		return o, p, err
	}
	if p, err = loadPaper(ctx, tx, paper); err != nil { // as it stands behind the lock
		return o, p, err
	}
	p, err = p.Decide(to, auth.From(ctx).Person(), note, tx.Now())
	return o, p, err
}
