package bank

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
)

// An entry is one movement on one account: above zero it came in.
type entry struct {
	Ref       string          `json:"ref"`
	Account   string          `json:"account"`
	Amount    int64           `json:"amount"`
	At        time.Time       `json:"at"`
	VisibleAt time.Time       `json:"visible_at,omitzero"`
	Kind      string          `json:"kind"`
	EndToEnd  string          `json:"end_to_end"`
	InstrID   string          `json:"instr_id,omitempty"`
	MsgID     string          `json:"msg_id,omitempty"`
	PmtInfID  string          `json:"pmt_inf_id,omitempty"`
	Name      string          `json:"name,omitempty"`
	RIB       string          `json:"rib,omitempty"`
	Text      string          `json:"text,omitempty"`
	Returned  bool            `json:"returned,omitempty"`
	NetOnly   bool            `json:"net_only,omitempty"`
	Lines     []world.NetLine `json:"lines,omitempty"`
}

// book moves money on an account and keeps the entry for its statement. It gives
// the entry as it is kept.
func (b *Bank) book(tx *journal.Tx, e entry) entry {
	e.Ref, e.At = fmt.Sprintf("EX%012d", b.world.Next(tx, "entries")), b.world.Now()
	a := b.account(tx, e.Account)
	a.Booked += e.Amount
	b.accounts.Put(tx, e.Account, a)
	b.unstated.Put(tx, e.Ref, e)
	return e
}

// A statement is what happened on one account since the one before.
type statement struct {
	Account          string
	Name             string
	Seq              int64
	At               time.Time
	Opening, Closing int64
	Entries          []entry
}

// maxEntries keeps a statement to a size that is read at once.
const maxEntries = 2000

// State makes a statement of each account that has something new to show.
func (b *Bank) State() error {
	if b.Asked {
		return nil // who wants to know what was booked asks
	}
	return b.world.Journal.Update(func(tx *journal.Tx) error {
		for _, rib := range []string{SafeguardRIB, OperatingRIB} {
			b.state(tx, rib)
		}
		return nil
	})
}

func (b *Bank) state(tx *journal.Tx, rib string) {
	a, now := b.account(tx, rib), b.world.Now()
	s := statement{Account: rib, Name: SafeguardName, At: now, Opening: a.Stated, Closing: a.Stated}
	if rib == OperatingRIB {
		s.Name = OperatingName
	}
	for _, e := range b.unstated.All(tx) {
		if e.Account == rib && !e.VisibleAt.After(now) && len(s.Entries) < maxEntries {
			s.Entries = append(s.Entries, e)
			s.Closing += e.Amount
			b.unstated.Delete(tx, e.Ref)
		}
	}
	if len(s.Entries) == 0 {
		return
	}
	a.Seq++
	s.Seq, a.Stated = a.Seq, s.Closing
	b.accounts.Put(tx, rib, a)
	b.putStatement(tx, s)
	slog.Info("bank statement", "account", rib, "seq", s.Seq, "entries", len(s.Entries))
}

// putStatement puts a statement out; by fault two cycles late, or a second
// time under another name a cycle later.
func (b *Bank) putStatement(tx *journal.Tx, s statement) {
	path, due := fmt.Sprintf("out/CAMT053_%s_%06d", s.Account, s.Seq), s.At
	body := s.render()
	switch b.world.Take(tx, world.Bank, "statement_missing", "statement_twice") {
	case "statement_missing":
		due = due.Add(2*b.StatementEvery + b.StatementEvery/2)
	case "statement_twice":
		b.put(tx, path+"_bis.xml", body, due.Add(b.StatementEvery))
	}
	b.put(tx, path+".xml", body, due)
}

// render writes camt.053.001.08.
func (s statement) render() string {
	id := fmt.Sprintf("CAMT-%s-%06d", s.Account[18:22], s.Seq)
	kids := []element{
		text("Id", id),
		text("ElctrncSeqNb", fmt.Sprint(s.Seq)),
		text("LglSeqNb", fmt.Sprint(s.Seq)),
		moment("CreDtTm", s.At),
		el("Acct", bban(s.Account), text("Ccy", "MAD"), text("Nm", cut(s.Name, 70)),
			el("Svcr", el("FinInstnId", text("BICFI", BIC)))),
		balance("OPBD", s.Opening, s.At),
		balance("CLBD", s.Closing, s.At),
	}
	for _, e := range s.Entries {
		kids = append(kids, e.render())
	}
	head := el("GrpHdr", text("MsgId", id), moment("CreDtTm", s.At))
	return message("camt.053.001.08", el("BkToCstmrStmt", head, el("Stmt", kids...)))
}

func balance(code string, centimes int64, at time.Time) element {
	return el("Bal", el("Tp", el("CdOrPrtry", text("Cd", code))), amt("Amt", centimes), direction(centimes), day("Dt", at))
}

func (e entry) render() element {
	details := []element{e.detail()}
	info := e.Text
	if e.Kind == world.Settlement {
		info = "REGLEMENT CARTES " + e.EndToEnd
		if strings.HasPrefix(e.EndToEnd, world.WalletSettlement) {
			info = "REGLEMENT PORTEFEUILLES " + e.EndToEnd
		}
		details = details[:0]
		for _, l := range e.Lines {
			details = append(details, e.line(l))
		}
	}
	return el("Ntry",
		text("NtryRef", e.Ref),
		amt("Amt", e.Amount),
		direction(e.Amount),
		el("Sts", text("Cd", "BOOK")),
		day("BookgDt", e.At),
		day("ValDt", e.At),
		text("AcctSvcrRef", e.Ref),
		e.code(),
		el("NtryDtls", details...),
		text("AddtlNtryInf", cut(info, 500)),
	)
}

// code is the bank transaction code (ISO external code set).
func (e entry) code() element {
	family, sub := "ICDT", "DMCT"
	switch {
	case e.Kind == world.Settlement:
		family, sub = "MCRD", "POSP"
	case e.Returned:
		sub = "RRTN"
	case e.Kind == world.Credit:
		family = "RCDT"
	case e.Kind == world.Sweep || e.Kind == world.TopUp:
		sub = "BOOK"
		if e.Amount > 0 {
			family = "RCDT"
		}
	}
	return el("BkTxCd", el("Domn", text("Cd", "PMNT"), el("Fmly", text("Cd", family), text("SubFmlyCd", sub))))
}

// detail is the one transaction of a transfer's entry.
func (e entry) detail() element {
	party := "Cdtr"
	if e.Amount > 0 && !e.Returned {
		party = "Dbtr"
	}
	name := e.Name
	if party == "Dbtr" && e.Kind != world.Credit {
		name = SafeguardName
		if e.RIB == OperatingRIB {
			name = OperatingName
		}
	}
	var back element
	if e.Returned {
		back = el("RtrInf", el("Rsn", text("Cd", "AC04")), text("AddtlInf", "Compte beneficiaire cloture"))
	}
	return el("TxDtls",
		el("Refs", text("MsgId", e.MsgID), text("AcctSvcrRef", e.Ref), text("PmtInfId", e.PmtInfID),
			text("InstrId", cut(e.InstrID, 35)), text("EndToEndId", e.EndToEnd)),
		amt("Amt", e.Amount),
		direction(e.Amount),
		el("RltdPties", el(party, el("Pty", text("Nm", cut(name, 140)))), el(party+"Acct", bban(e.RIB))),
		el("RmtInf", text("Ustrd", cut(e.Text, 140))),
		back,
	)
}

// line is one charge or refund of a settlement's entry: the gross, with the
// fee beside it. By the fault statement_net_of_fee only the net is told.
func (e entry) line(l world.NetLine) element {
	instr, note := e.EndToEnd, element("")
	if l.Case != "" {
		instr, note = l.Case, el("RmtInf", text("Ustrd", "IMPAYE CARTE "+l.Case))
	}
	refs := el("Refs", text("AcctSvcrRef", e.EndToEnd), text("InstrId", cut(instr, 35)), text("EndToEndId", cut(l.Ref, 35)))
	if e.NetOnly {
		return el("TxDtls", refs, amt("Amt", l.Gross-l.Fee), direction(l.Gross-l.Fee), e.settler(), note)
	}
	var fee element
	if l.Fee > 0 {
		fee = el("Chrgs", el("Rcrd", amt("Amt", l.Fee), text("CdtDbtInd", "DBIT")))
	}
	return el("TxDtls", refs, amt("Amt", l.Gross), direction(l.Gross),
		el("AmtDtls", el("InstdAmt", amt("Amt", l.Gross))), fee, e.settler(), note)
}

// settler is who pays a settlement, or is paid by one below zero.
func (e entry) settler() element {
	party := "Dbtr"
	if e.Amount < 0 {
		party = "Cdtr"
	}
	name, rib := e.settlers()
	return el("RltdPties", el(party, el("Pty", text("Nm", name))), el(party+"Acct", bban(rib)))
}

// settlers are the name and the account that a settlement comes from.
func (e entry) settlers() (name, rib string) {
	switch {
	case strings.HasPrefix(e.EndToEnd, world.WalletSettlement):
		return WalletName, WalletRIB
	case strings.HasPrefix(e.EndToEnd, world.Settlement2):
		return Acquirer2Name, Acquirer2RIB
	}
	return AcquirerName, AcquirerRIB
}
