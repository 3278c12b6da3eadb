package iso20022

import (
	"fmt"
	"strconv"
	"strings"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
)

// statements reads camt.053 and camt.054, which differ in names alone.
func statements(n *node, m *bank.Message) error {
	of, kind, pages := n.all("Stmt"), bank.OfAccount, "StmtPgntn"
	if n.name == "BkToCstmrDbtCdtNtfctn" {
		of, kind, pages = n.all("Ntfctn"), bank.Notification, "NtfctnPgntn"
	}
	if len(of) == 0 {
		return fmt.Errorf("%s holds no statement", n.name)
	}
	for _, s := range of {
		st, err := statement(s, kind, s.kid(pages))
		if err != nil {
			return fmt.Errorf("statement %q: %w", s.str("Id"), err)
		}
		m.Statements = append(m.Statements, st)
	}
	return nil
}

func statement(n *node, kind bank.Kind, page *node) (s bank.Statement, err error) {
	s = bank.Statement{Kind: kind, ID: n.str("Id"), Account: number(n.kid("Acct")), Page: 1, LastPage: true}
	if s.ID == "" || s.Account == "" {
		return s, fmt.Errorf("its name or its account is missing")
	}
	if len(s.ID) > 140 || len(s.Account) > 140 { // Max35Text and Max34Text; some banks take more
		return s, fmt.Errorf("its name or its account is too long")
	}
	if page != nil {
		if s.Page, err = strconv.Atoi(page.str("PgNb")); err != nil {
			return s, fmt.Errorf("PgNb: %w", err)
		}
		if s.Page < 1 || s.Page > 99999 { // Max5NumericText
			return s, fmt.Errorf("PgNb is %d", s.Page)
		}
		s.LastPage = page.str("LastPgInd") != "false"
	}
	if seq := n.str("ElctrncSeqNb", "LglSeqNb"); seq != "" {
		if s.Sequence, err = strconv.ParseInt(seq, 10, 64); err != nil {
			return s, fmt.Errorf("sequence: %w", err)
		}
	}
	if s.Created, err = moment(n.str("CreDtTm")); err != nil {
		return s, err
	}
	if s.From, err = moment(n.str("FrToDt/FrDtTm")); err != nil {
		return s, err
	}
	if s.To, err = moment(n.str("FrToDt/ToDtTm")); err != nil {
		return s, err
	}
	if err := balances(n, &s); err != nil {
		return s, err
	}
	for i, e := range n.all("Ntry") {
		line, err := entry(e)
		if err != nil {
			return s, fmt.Errorf("entry %d: %w", i+1, err)
		}
		s.Entries = append(s.Entries, line)
	}
	s.Currency = n.str("Acct/Ccy")
	if s.Currency == "" {
		s.Currency = s.Opening.Currency()
	}
	if s.Currency == "" && len(s.Entries) > 0 {
		s.Currency = s.Entries[0].Amount.Currency()
	}
	return s, nil
}

// number is an account's RIB, also when it is written as an IBAN; a foreign
// account keeps its own number.
func number(acct *node) string {
	id := acct.str("Id/IBAN", "Id/Othr/Id")
	if rib, err := bank.RIBOf(id); err == nil {
		return rib
	}
	return strings.ReplaceAll(id, " ", "")
}

// balances takes the booked ones; a previous closing opens where no opening
// is given.
func balances(n *node, s *bank.Statement) error {
	found := map[string]money.Money{}
	for _, b := range n.all("Bal") {
		code := b.str("Tp/CdOrPrtry/Cd")
		if code != "OPBD" && code != "PRCD" && code != "CLBD" {
			continue
		}
		if _, twice := found[code]; twice {
			return fmt.Errorf("the balance %s comes twice", code)
		}
		v, err := value(b.kid("Amt"))
		if err != nil {
			return fmt.Errorf("balance %s: %w", code, err)
		}
		if found[code], err = signed(v, b.str("CdtDbtInd")); err != nil {
			return fmt.Errorf("balance %s: %w", code, err)
		}
		if code == "CLBD" {
			if s.On, err = day(b.kid("Dt")); err != nil {
				return fmt.Errorf("balance %s: %w", code, err)
			}
		}
	}
	var opens, closes bool
	if s.Opening, opens = found["OPBD"]; !opens {
		s.Opening, opens = found["PRCD"]
	}
	s.Closing, closes = found["CLBD"]
	s.HasBalances = opens && closes
	return nil
}

func entry(n *node) (e bank.Entry, err error) {
	v, err := value(n.kid("Amt"))
	if err != nil {
		return e, err
	}
	if e.Amount, err = signed(v, n.str("CdtDbtInd")); err != nil {
		return e, err
	}
	e.Booked = n.str("Sts/Cd", "Sts") == "BOOK"
	e.Reversal = n.str("RvslInd") == "true" || n.str("RvslInd") == "1"
	if e.BookedOn, err = day(n.kid("BookgDt")); err != nil {
		return e, err
	}
	if e.ValueOn, err = day(n.kid("ValDt")); err != nil {
		return e, err
	}
	e.Ref, e.BankRef, e.Info = n.str("NtryRef"), n.str("AcctSvcrRef"), n.str("AddtlNtryInf")
	e.Code, e.Charge = code(n.kid("BkTxCd"))
	var parts []*node
	var batches []string
	for _, d := range n.all("NtryDtls") {
		parts = append(parts, d.all("TxDtls")...)
		if b := d.str("Btch/MsgId", "Btch/PmtInfId"); b != "" {
			batches = append(batches, b)
		}
	}
	if len(batches) == 1 {
		e.Batch = batches[0]
	}
	e.Details, err = details(e, parts)
	return e, err
}

// charge are the subfamilies of the external code set that say what a bank
// takes for itself (ISO 20022 external bank transaction codes, «Charges»,
// «Fees» and «Commission» of every family).
var charge = set("CHRG FEES COMM COMI COME COMT")

// code is a bank transaction code as text, and whether it is a charge's.
func code(n *node) (text string, charges bool) {
	domain, family, sub := n.str("Domn/Cd"), n.str("Domn/Fmly/Cd"), n.str("Domn/Fmly/SubFmlyCd")
	if domain == "" {
		return n.str("Prtry/Cd"), false
	}
	return domain + "/" + family + "/" + sub, charge[sub]
}
