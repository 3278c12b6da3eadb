package pg

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// The rest of pgx.Tx, which River asks for when it queues jobs in a unit of
// work.
var _ pgx.Tx = (*Tx)(nil)

var errNested = errors.New("a unit of work does not nest, and only InTx ends it")

// Begin is refused: units of work do not nest.
func (tx *Tx) Begin(context.Context) (pgx.Tx, error) { return nil, errNested }

// Commit is refused: InTx commits.
func (tx *Tx) Commit(context.Context) error { return errNested }

// Rollback is refused: returning an error to InTx undoes the unit of work.
func (tx *Tx) Rollback(context.Context) error { return errNested }

// QueryRow reads one row.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := tx.Query(ctx, sql, args...)
	return row{rows, err}
}

// CopyFrom loads many rows.
func (tx *Tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error) {
	if err := tx.Flush(ctx); err != nil {
		return 0, err
	}
	return tx.conn.CopyFrom(ctx, table, columns, src)
}

// LargeObjects is not used.
func (tx *Tx) LargeObjects() pgx.LargeObjects { panic("large objects are not used") }

// Prepare is not needed: statements are prepared and cached by themselves.
func (tx *Tx) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	if err := tx.Flush(ctx); err != nil {
		return nil, err
	}
	return tx.conn.Conn().Prepare(ctx, name, sql)
}

// Conn is the connection below; River reads its type map.
func (tx *Tx) Conn() *pgx.Conn { return tx.conn.Conn() }

// row is a QueryRow over rows.
type row struct {
	rows pgx.Rows
	err  error
}

func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// batchRows are rows that close the round trip they came in.
type batchRows struct {
	pgx.Rows
	br pgx.BatchResults
}

func (r *batchRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *batchRows) Close() {
	r.Rows.Close()
	r.br.Close() // its error is the rows' own
}

// failed are rows that never came.
type failed struct{ err error }

func (f failed) Close()                                       {}
func (f failed) Err() error                                   { return f.err }
func (f failed) CommandTag() pgconn.CommandTag                { return pgconn.CommandTag{} }
func (f failed) FieldDescriptions() []pgconn.FieldDescription { return nil }
func (f failed) Next() bool                                   { return false }
func (f failed) Scan(...any) error                            { return f.err }
func (f failed) Values() ([]any, error)                       { return nil, f.err }
func (f failed) RawValues() [][]byte                          { return nil }
func (f failed) Conn() *pgx.Conn                              { return nil }
func (f failed) TypeMap() *pgtype.Map                         { return nil }

type failedBatch struct{ err error }

func (f failedBatch) Exec() (pgconn.CommandTag, error) { return pgconn.CommandTag{}, f.err }
func (f failedBatch) Query() (pgx.Rows, error)         { return failed(f), f.err }
func (f failedBatch) QueryRow() pgx.Row                { return row{nil, f.err} }
func (f failedBatch) Close() error                     { return f.err }
func (f failedBatch) Tx() pgx.Tx                       { return nil }
