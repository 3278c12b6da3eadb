package iso20022

import (
	"context"
	"errors"
	"fmt"
	"path"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/outbound"
)

// Publish writes the file beside its place and then moves it there in one
// step, so that the bank never sees half of it. Nothing can be executed before
// the move is asked for: until then a failure is NotSent. After it the bank's
// folders are looked at; what they do not show is Unknown.
func (d *Driver) Publish(ctx context.Context, f bank.File) outbound.Result {
	if !plain(f.Name) || digest(f.Bytes) != f.SHA256 {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: errors.New("the file's name or its hash is wrong")}
	}
	s, err := d.open(ctx)
	if err != nil {
		return notSent(err)
	}
	defer s.close()
	switch there, r, err := d.stands(s, f); {
	case err != nil:
		return notSent(err)
	case there:
		return r
	}
	tmp := path.Join(d.cfg.Dirs.In, "."+f.Name+".tmp")
	if err := s.put(tmp, f.Bytes); err != nil {
		return notSent(err)
	}
	err = s.Rename(tmp, path.Join(d.cfg.Dirs.In, f.Name))
	if err == nil {
		return outbound.Result{Outcome: outbound.Accepted, PartnerID: f.Name}
	}
	return d.after(ctx, s, f, tmp, fmt.Errorf("publish %s: %w", f.Name, err))
}

// after finds out what became of a move that was not confirmed.
func (d *Driver) after(ctx context.Context, s *session, f bank.File, tmp string, cause error) outbound.Result {
	refused := answered(cause)
	if !refused {
		again, err := d.open(ctx)
		if err != nil {
			return unknown(errors.Join(cause, err))
		}
		defer again.close()
		s = again
	}
	there, r, err := d.stands(s, f)
	if err != nil {
		return unknown(errors.Join(cause, err))
	}
	if there {
		return r
	}
	if _, err := s.Stat(tmp); refused && err == nil {
		return notSent(cause) // refused, and our draft is still where it was
	}
	return unknown(cause)
}

// stands looks for the file under its name, waiting or already taken. Another
// content under our name is Unknown: a person must look.
func (d *Driver) stands(s *session, f bank.File) (bool, outbound.Result, error) {
	for _, dir := range []string{d.cfg.Dirs.In, d.cfg.Dirs.Archive} {
		there, same, err := s.holds(path.Join(dir, f.Name), f.SHA256)
		switch {
		case err != nil:
			return false, outbound.Result{}, err
		case same:
			return true, outbound.Result{Outcome: outbound.Accepted, PartnerID: f.Name}, nil
		case there:
			err := fmt.Errorf("%s holds another content under our name %s", dir, f.Name)
			return true, outbound.Result{Outcome: outbound.Unknown, Code: "name_taken", Text: err.Error(), Err: err}, nil
		}
	}
	return false, outbound.Result{}, nil
}

// Find looks for the file in the bank's folders, and for a report about it.
func (d *Driver) Find(ctx context.Context, f bank.File) outbound.Result {
	if !plain(f.Name) {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: errors.New("the file's name is wrong")}
	}
	s, err := d.open(ctx)
	if err != nil {
		return notSent(err)
	}
	defer s.close()
	there, r, err := d.stands(s, f)
	if err != nil {
		return unknown(err)
	}
	if there {
		return r
	}
	if len(f.Bytes) == 0 {
		return outbound.Result{Outcome: outbound.NotFound}
	}
	return d.reported(s, f)
}

// reported looks for a report about our file among those not yet fetched.
func (d *Driver) reported(s *session, f bank.File) outbound.Result {
	root, _, err := scan(f.Bytes)
	if err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: fmt.Errorf("read our own file: %w", err)}
	}
	ours := root.str("CstmrCdtTrfInitn/GrpHdr/MsgId")
	acks, err := d.list(s, d.cfg.Dirs.Ack)
	if err != nil {
		return unknown(err)
	}
	for _, a := range acks {
		b, err := s.fetch(path.Join(a.dir, a.info.Name()))
		if err != nil {
			return unknown(err)
		}
		if m, err := read(b); err == nil && m.Report != nil && m.Report.OriginalID == ours {
			return outbound.Result{Outcome: outbound.Accepted, PartnerID: f.Name, Code: string(m.Report.Group), Evidence: b}
		}
	}
	return outbound.Result{Outcome: outbound.NotFound}
}

func notSent(err error) outbound.Result {
	return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.ReasonOf(err), Err: err}
}

func unknown(err error) outbound.Result {
	return outbound.Result{Outcome: outbound.Unknown, Reason: outbound.ReasonOf(err), Err: err}
}
