package catalog

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Errors of imports.
var (
	ErrNoImport   = fault.New(fault.NotFound, "catalog.no_import", "There is no such import.")
	errOvertaken  = errors.New("catalog: somebody else goes on with this import")
	errUnfinished = errors.New("catalog: the import is not at its end yet")
)

// Times of imports.
const (
	importTime = time.Minute      // the request may take
	patience   = 45 * time.Second // the caller is kept waiting, at most
	jobTime    = 30 * time.Second // a job goes on, before the next one does
	lease      = 30 * time.Second // whoever is at work has for a batch, before another goes on
	mostTries  = 8                // to take the same batch in
	mostShown  = 10_000           // details of rejected rows that the sender is answered
	fewShown   = 100              // that whoever asks how far it is gets
)

// An ImportState is where an import stands: running → done, or failed.
type ImportState string

// The states of imports.
const (
	ImportRunning ImportState = "running"
	ImportDone    ImportState = "done"
	ImportFailed  ImportState = "failed"
)

// An Import is a file on its way into the catalogue, or what became of it.
type Import struct {
	ID, Seller, Name, File string
	DryRun                 bool
	State                  ImportState
	Reason                 string // why it failed
	Form, Encoding         string
	Separator              string
	Columns                []Column
	Rows, Batch, Tries     int // Batch is the next one
	Created, Updated       int
	Unchanged, Rejected    int
	At                     time.Time
	FinishedAt             *time.Time
	Words                  []CategoryWord
}

// count adds outcomes up.
func (i Import) count(all []Outcome) Import {
	for _, o := range all {
		switch o.Verdict {
		case RowCreated:
			i.Created++
		case RowUpdated:
			i.Updated++
		case RowUnchanged:
			i.Unchanged++
		default:
			i.Rejected++
		}
	}
	return i
}

// Import takes a catalogue file in: it adds what is new, changes what changed
// (by SKU and offer_key) and publishes new offers. Each row gets its verdict,
// and the good rows land whatever becomes of the others. A dry run says the same
// and changes nothing. Running a file again changes nothing that it does not say.
// Columns that a file leaves out, and empty cells of stock, leave what is there
// alone. An offer's labels are those of all its rows; a cell may name several,
// with a bar between them.
//
// The file is kept, and taken in batch by batch. Whoever began may die: another
// goes on where it stood. A caller who was kept waiting long enough is answered
// while the import still runs.
func (s *Service) Import(ctx context.Context, in ImportInput) (Report, error) {
	imp, f, err := s.begin(ctx, in)
	if err != nil {
		return Report{}, err
	}
	if !in.Background {
		err = s.proceed(ctx, imp, f, patience)
	}
	for ; errors.Is(err, errOvertaken); err = s.finished(ctx, imp.ID) {
		select {
		case <-ctx.Done():
			return Report{}, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	if err != nil && !errors.Is(err, errUnfinished) {
		return Report{}, err
	}
	return s.report(ctx, imp.ID, mostShown)
}

// finished says whether an import that somebody else goes on with has ended.
func (s *Service) finished(ctx context.Context, imp string) error {
	i, err := findImport(ctx, s.db, imp)
	if err == nil && i.State == ImportRunning {
		return errOvertaken
	}
	return err
}

// begin reads a file, keeps it and writes down that it is to be taken in.
func (s *Service) begin(ctx context.Context, in ImportInput) (Import, *file, error) {
	seller, err := owner(ctx, in.Seller, "?seller")
	if err != nil {
		return Import{}, nil, err
	}
	said, err := sayings(in.Map)
	if err != nil {
		return Import{}, nil, err
	}
	words, err := categoryWords(in.Category)
	if err != nil {
		return Import{}, nil, err
	}
	if err := s.inGoodStanding(ctx, s.db, seller); err != nil {
		return Import{}, nil, err
	}
	t, err := table(in.File.Bytes)
	if err != nil {
		return Import{}, nil, err
	}
	print := fingerprint(t.Head)
	before, err := remembered(ctx, s.db, seller, print)
	if err != nil {
		return Import{}, nil, err
	}
	all, err := mapping(t.Head, said, before)
	if err != nil {
		return Import{}, nil, err
	}
	shelves, err := sellerWords(ctx, s.db, seller)
	if err != nil {
		return Import{}, nil, err
	}
	for word, code := range words {
		shelves[word] = code // "" is none
	}
	f := lay(t, all, shelves)
	kept, err := s.files.Add(ctx, media.Upload{Owner: seller, Kind: media.Sheet, Name: in.File.Name, Bytes: in.File.Bytes})
	if err != nil {
		return Import{}, nil, err
	}
	imp := Import{
		ID: id.New(id.Import), Seller: seller, Name: kept.Name, File: kept.ID, DryRun: in.DryRun, State: ImportRunning,
		Form: string(t.Form), Encoding: t.Encoding, Separator: t.Separator, Columns: all, Rows: f.rows, Words: f.words(),
	}.count(f.bad)
	sum := sha256.Sum256(in.File.Bytes)
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if _, err := s.files.Use(ctx, tx, kept.ID, seller, media.Sheet, imp.ID); err != nil {
			return err
		}
		imp.At = tx.Now()
		insertImport(tx, imp, sum[:])
		insertOutcomes(tx, imp.ID, f.bad)
		if len(said) > 0 {
			remember(tx, seller, print, together(before, said))
		}
		if len(words) > 0 {
			rememberShelves(tx, seller, words)
		}
		if len(f.batches) == 0 {
			return s.end(ctx, tx, imp)
		}
		due := tx.Now()
		if !in.Background {
			due = due.Add(lease)
		}
		job.Set(tx, importTimer, imp.ID, due)
		return nil
	})
	return imp, f, err
}

// together is what a seller said of columns before and now.
func together(before, now map[string]string) map[string]string {
	out := maps.Clone(before)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, now)
	return out
}

// proceed takes a file in from the batch at which the import stands, until the
// end or until so long has passed: then errUnfinished, and a job goes on at once.
func (s *Service) proceed(ctx context.Context, imp Import, f *file, atMost time.Duration) error {
	patient, done := context.WithTimeout(ctx, atMost)
	defer done()
	promised, err := s.promisedBefore(ctx, imp, f)
	if err != nil {
		return err
	}
	for at := imp.Batch; at < len(f.batches); at++ {
		if patient.Err() != nil {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.db.InTx(ctx, func(tx *pg.Tx) error { job.Set(tx, importTimer, imp.ID, tx.Now()); return nil }); err != nil {
				return err
			}
			return errUnfinished
		}
		err := s.batch(ctx, imp, f, at, promised)
		for try := 1; (errors.Is(err, ErrSKU) || errors.Is(err, ErrKey)) && try < mostTries; try++ { // somebody wrote the same meanwhile
			err = s.batch(ctx, imp, f, at, promised)
		}
		if errors.Is(err, ErrSuspended) {
			return s.fail(ctx, imp.ID, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// batch takes the rows of one batch in, in a unit of work that also writes down
// their verdicts and that it was done.
func (s *Service) batch(ctx context.Context, imp Import, f *file, at int, promised map[string]string) error {
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		stands, err := lockImport(ctx, tx, imp.ID)
		if err != nil {
			return err
		}
		if stands.State != ImportRunning || stands.Batch != at {
			return errOvertaken
		}
		if err := s.inGoodStanding(ctx, tx, imp.Seller); err != nil {
			return err
		}
		rows := f.batches[at]
		there, err := lockBatch(ctx, tx, imp.Seller, rows)
		if err != nil {
			return err
		}
		m := newMerge(imp.ID, imp.Seller, there, promised, tx.Now())
		if m.sounds, err = s.sounds(ctx, tx, imp.Seller, rows); err != nil {
			return err
		}
		for _, l := range rows {
			m.take(l)
		}
		m.settle()
		if imp.DryRun {
			m.promise()
		} else if err := s.land(ctx, tx, m); err != nil {
			return err
		}
		stands.Batch = at + 1
		stands = stands.count(m.outcomes)
		insertOutcomes(tx, imp.ID, m.outcomes)
		if stands.Batch == len(f.batches) {
			return s.end(ctx, tx, stands)
		}
		saveImport(tx, stands)
		job.Set(tx, importTimer, imp.ID, tx.Now().Add(lease))
		return nil
	})
}

// sounds are the seller's recordings that rows name.
func (s *Service) sounds(ctx context.Context, tx *pg.Tx, seller string, rows []line) (map[string]bool, error) {
	named := map[string]bool{}
	for _, l := range rows {
		if v := l.text("voice"); v != "" {
			named[v] = true
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	found, err := s.files.Files(ctx, tx, slices.Sorted(maps.Keys(named)))
	if err != nil {
		return nil, err
	}
	for v := range named {
		f := found[v]
		named[v] = f.Owner == seller && f.Kind == media.Sound && f.State != media.Dropped
	}
	return named, nil
}

// promisedBefore are the SKUs that the batches before the one at which a dry run
// stands have given away, and their offers' keys. To go through them again would take
// as long as it took, and a turn has its end.
func (s *Service) promisedBefore(ctx context.Context, imp Import, f *file) (map[string]string, error) {
	promised := map[string]string{}
	if !imp.DryRun || imp.Batch == 0 {
		return promised, nil
	}
	rejected, err := rejectedRows(ctx, s.db, imp.ID)
	if err != nil {
		return nil, err
	}
	for _, batch := range f.batches[:min(imp.Batch, len(f.batches))] {
		for _, l := range batch {
			if _, bad := slices.BinarySearch(rejected, l.row); !bad {
				promised[l.text("sku")] = l.key()
			}
		}
	}
	return promised, nil
}

// promise notes which SKUs a dry run has given away.
func (m *merge) promise() {
	for _, g := range m.order {
		if g.first == nil {
			continue
		}
		for _, v := range g.Variants {
			m.promised[v.SKU] = g.Ref
		}
	}
}

// end has an import be done, and tells of it.
func (s *Service) end(ctx context.Context, tx *pg.Tx, imp Import) error {
	now := tx.Now()
	imp.State, imp.FinishedAt = ImportDone, &now
	saveImport(tx, imp)
	job.Set(tx, importTimer, imp.ID, now.Add(keepImports))
	if imp.DryRun {
		return nil
	}
	return tx.Publish(ctx, Imported{imp.ID, imp.Seller, imp.Rows, imp.Created, imp.Updated, imp.Unchanged, imp.Rejected})
}

// fail gives an import up. What was taken in stays.
func (s *Service) fail(ctx context.Context, imp string, why error) error {
	reason := "Something went wrong that is not the file's fault; send the file again."
	if said, ok := errors.AsType[*fault.Error](why); ok {
		reason = said.Text
	}
	slog.WarnContext(ctx, "import given up", "import", imp, "cause", why)
	return s.db.InTx(ctx, func(tx *pg.Tx) error {
		i, err := lockImport(ctx, tx, imp)
		if err != nil || i.State != ImportRunning {
			return err
		}
		now := tx.Now()
		i.State, i.Reason, i.FinishedAt = ImportFailed, reason, &now
		saveImport(tx, i)
		job.Set(tx, importTimer, imp, now.Add(keepImports))
		return nil
	})
}

// land saves what the rows changed and shows it to buyers.
func (s *Service) land(ctx context.Context, tx *pg.Tx, m *merge) error {
	var changed []Offer
	var ids []string
	var asked []Change
	for _, o := range m.order {
		if o.asked != nil {
			asked = append(asked, *o.asked)
		}
		if o.changed {
			changed = append(changed, o.Offer)
			ids = append(ids, o.ID)
		}
	}
	if len(changed) > 0 {
		save(tx, changed, m.moves)
	}
	for _, o := range m.order {
		before := ""
		if o.was != nil {
			before = o.was.Voice
		}
		if err := s.speaks(ctx, tx, o.Offer, before); err != nil {
			return err
		}
	}
	insertChanges(tx, asked)
	_, err := s.reindex(ctx, tx, ids...)
	return err
}

// Continue goes on with an import that whoever began has left: it died, or its
// caller was kept waiting long enough.
func (s *Service) Continue(ctx context.Context, imp string) error {
	var i Import
	err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		if i, err = lockImport(ctx, tx, imp); err != nil || i.State != ImportRunning {
			return err
		}
		i.Tries++
		saveImport(tx, i)
		return nil
	})
	switch {
	case err != nil || i.State != ImportRunning:
		return ignore(err, ErrNoImport)
	case i.Tries > mostTries:
		return s.fail(ctx, imp, errUnfinished)
	}
	b, err := s.files.Content(ctx, i.File)
	if errors.Is(err, media.ErrNotFound) {
		return s.fail(ctx, imp, err)
	}
	if err != nil {
		return err
	}
	t, err := table(b)
	if err != nil {
		return s.fail(ctx, imp, err)
	}
	shelves, err := sellerWords(ctx, s.db, i.Seller)
	if err != nil {
		return err
	}
	err = s.proceed(ctx, i, lay(t, i.Columns, shelves), jobTime)
	if errors.Is(err, errOvertaken) || errors.Is(err, errUnfinished) {
		return nil
	}
	return err
}

// report is an import with what its first rejected rows lack.
func (s *Service) report(ctx context.Context, imp string, most int) (Report, error) {
	i, err := findImport(ctx, s.db, imp)
	if err != nil {
		return Report{}, err
	}
	rejected, err := outcomes(ctx, s.db, imp, RowRejected, 0, most)
	if err != nil {
		return Report{}, err
	}
	r := i.report()
	for _, o := range rejected {
		for _, d := range o.Details {
			r.Rejected = append(r.Rejected, Verdict{o.Row, d.Pointer, d.Detail})
		}
	}
	slices.SortStableFunc(r.Rejected, func(a, b Verdict) int { return cmp.Compare(a.Row, b.Row) })
	r.Rejected = r.Rejected[:min(len(r.Rejected), most)]
	return r, nil
}

// onColumns turns pointers into an offer into names of columns.
func onColumns(details []fault.Detail, names, descriptions string) []fault.Detail {
	for i, d := range details {
		p := d.Pointer
		switch {
		case strings.HasPrefix(p, "/names/"):
			p = names + p[len("/names/"):]
		case strings.HasPrefix(p, "/descriptions/"):
			p = descriptions + p[len("/descriptions/"):]
		case strings.HasPrefix(p, "/labels/"):
			_, p, _ = strings.Cut(p[len("/labels/"):], "/")
			p = labelColumn[p]
		case p == "/point":
			p = "/lat"
		case p == "/on_hand":
			p = "/stock"
		case p == "/key":
			p = "/offer_key"
		case strings.HasPrefix(p, "/net/"):
			p = "/net_" + p[len("/net/"):]
		default: // one cell has all the attributes, claims or tiers
			for _, column := range []string{"/attributes", "/claims", "/tiers"} {
				if strings.HasPrefix(p, column+"/") {
					p = column
				}
			}
		}
		details[i].Pointer = p
	}
	return details
}

var labelColumn = map[string]string{
	"code": "/label", "issuer": "/label_issuer", "number": "/label_number",
	"valid_from": "/label_from", "valid_to": "/label_to",
}
