package ledger

import (
	"bufio"
	"io"
	"time"
)

// JournalName and JournalText are how an export writes names and texts.
var (
	JournalName = journalName
	JournalText = journalText
)

// JournalTransfer writes one transfer as an export does.
func JournalTransfer(w io.Writer, t Transfer, id int64, key, actor string, recorded time.Time) error {
	row := transferRow{ID: id, Key: key, Kind: t.Kind, OrderID: t.Order, Currency: t.Currency, EffectiveAt: t.Effective, RecordedAt: recorded, Actor: actor, Note: t.Note}
	for _, l := range t.Legs {
		row.Accounts, row.Amounts = append(row.Accounts, l.Account), append(row.Amounts, l.Amount)
	}
	j := journal{bufio.NewWriter(w)}
	j.commodity(t.Currency)
	for _, a := range row.Accounts {
		j.account(a)
	}
	if err := j.transfer(row); err != nil {
		return err
	}
	return j.w.Flush()
}
