package iso20022_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

func read(t testing.TB, text string) (bank.Message, error) {
	t.Helper()
	return offline(t, profiles["RIB"]).Read(bank.Received{Name: "f.xml", Bytes: []byte(text)})
}

const head = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr>`

// stmt is a statement of one account around entries.
func stmt(opening, closing, entries string) string {
	return head + `<Stmt><Id>S1</Id><ElctrncSeqNb>7</ElctrncSeqNb><CreDtTm>2026-11-21T20:00:00+01:00</CreDtTm><Acct><Id><Othr><Id>001810007800020110620318</Id></Othr></Id><Ccy>MAD</Ccy></Acct>` +
		bal("OPBD", opening) + bal("CLBD", closing) + entries + `</Stmt></BkToCstmrStmt></Document>`
}

func bal(code, amount string) string {
	return `<Bal><Tp><CdOrPrtry><Cd>` + code + `</Cd></CdOrPrtry></Tp><Amt Ccy="MAD">` + amount + `</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-21</Dt></Dt></Bal>`
}

func ntry(amount, mark, details string) string {
	return `<Ntry><Amt Ccy="MAD">` + amount + `</Amt><CdtDbtInd>` + mark + `</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-21</Dt></BookgDt>` +
		`<BkTxCd/><NtryDtls>` + details + `</NtryDtls></Ntry>`
}

func tx(ref, amount, mark, more string) string {
	return `<TxDtls><Refs><EndToEndId>` + ref + `</EndToEndId></Refs><Amt Ccy="MAD">` + amount + `</Amt><CdtDbtInd>` + mark + `</CdtDbtInd>` + more + `</TxDtls>`
}

func fee(gross, fee string) string {
	return `<AmtDtls><InstdAmt><Amt Ccy="MAD">` + gross + `</Amt></InstdAmt></AmtDtls><Chrgs><Rcrd><Amt Ccy="MAD">` + fee + `</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd></Chrgs>`
}

func TestDetailsAddUpHoweverABankWritesThem(t *testing.T) {
	t.Parallel()
	old := `<Chrgs><Amt Ccy="MAD">1.80</Amt></Chrgs>`
	for _, c := range []struct {
		name, entry string
		want        []string // amount gross fee
	}{
		{
			"a settlement, gross with fees", ntry("147.30", "CRDT", tx("c1", "100.00", "CRDT", fee("100.00", "1.80"))+tx("c2", "50.00", "CRDT", fee("50.00", "0.90"))),
			[]string{"98.20 100.00 1.80", "49.10 50.00 0.90"},
		},
		{
			"a settlement, net with fees", ntry("147.30", "CRDT", tx("c1", "98.20", "CRDT", fee("100.00", "1.80"))+tx("c2", "49.10", "CRDT", fee("50.00", "0.90"))),
			[]string{"98.20 100.00 1.80", "49.10 50.00 0.90"},
		},
		{
			"a settlement less a refund", ntry("48.20", "CRDT", tx("c1", "100.00", "CRDT", fee("100.00", "1.80"))+tx("r1", "50.00", "DBIT", "")),
			[]string{"98.20 100.00 1.80", "-50.00 -50.00 0.00"},
		},
		{
			"a negative settlement", ntry("1.80", "DBIT", tx("c1", "10.00", "CRDT", old)+tx("r1", "10.00", "DBIT", "")),
			[]string{"8.20 10.00 1.80", "-10.00 -10.00 0.00"},
		},
		{"net, without the gross", ntry("98.20", "CRDT", tx("c1", "98.20", "CRDT", old)), []string{"98.20 100.00 1.80"}},
		{"gross, without the net", ntry("98.20", "CRDT", tx("c1", "100.00", "CRDT", old)), []string{"98.20 100.00 1.80"}},
		{"a transfer that cost us", ntry("101.80", "DBIT", tx("p1", "100.00", "DBIT", old)), []string{"-101.80 -100.00 1.80"}},
		{"the other side's mark", ntry("100.00", "DBIT", tx("p1", "100.00", "CRDT", "")), []string{"-100.00 -100.00 0.00"}},
		{"a batch of transfers", ntry("30.00", "DBIT", tx("p1", "10.00", "DBIT", "")+tx("p2", "20.00", "DBIT", "")), []string{"-10.00 -10.00 0.00", "-20.00 -20.00 0.00"}},
		{"no amount of its own", ntry("30.00", "DBIT", `<TxDtls><Refs><EndToEndId>p1</EndToEndId></Refs></TxDtls>`), []string{"-30.00 -30.00 0.00"}},
	} {
		m, err := read(t, stmt("200.00", "0.00", c.entry))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		e := m.Statements[0].Entries[0]
		var got []string
		for _, d := range e.Details {
			got = append(got, d.Amount.Amount()+" "+d.Gross.Amount()+" "+d.Fee.Amount())
		}
		if strings.Join(got, "; ") != strings.Join(c.want, "; ") || !e.Explained() {
			t.Errorf("%s: %v, want %v, all explained", c.name, got, c.want)
		}
	}
}

func TestUnexplainedDetailsAreSaidToBe(t *testing.T) {
	t.Parallel()
	m, err := read(t, stmt("0.00", "97.00", ntry("97.00", "CRDT", tx("c1", "100.00", "CRDT", fee("100.00", "1.80")))))
	if err != nil {
		t.Fatal(err)
	}
	e := m.Statements[0].Entries[0]
	if e.Explained() || e.Details[0].Amount.Amount() != "100.00" {
		t.Errorf("entry = %+v", e)
	}
}

func TestStatementIsRead(t *testing.T) {
	t.Parallel()
	m, err := read(t, stmt("10.00", "12.50", ntry("2.50", "CRDT", tx("NOTPROVIDED", "2.50", "CRDT", ""))))
	if err != nil {
		t.Fatal(err)
	}
	s := m.Statements[0]
	if m.ID != "M1" || s.Account != "001810007800020110620318" || s.Currency != "MAD" || s.Sequence != 7 || s.Page != 1 || !s.LastPage ||
		!s.Opening.Equal(money.Dirhams(1000)) || !s.Created.Equal(time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)) || s.Entries[0].Details[0].Ref != "" {
		t.Errorf("statement = %+v", s)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

func TestDoctoredFilesAreRefused(t *testing.T) {
	t.Parallel()
	good := stmt("10.00", "12.50", ntry("2.50", "CRDT", tx("a", "2.50", "CRDT", "")))
	if _, err := read(t, good); err != nil {
		t.Fatal(err)
	}
	swap := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Errorf("the file holds no %s", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for name, text := range map[string]string{
		"a DTD":               swap("<Document", `<!DOCTYPE Document [<!ENTITY x "9">]><Document`),
		"an entity":           swap("2.50</Amt>", "&x;2.50</Amt>"),
		"an outside entity":   swap("<Document", `<!DOCTYPE d SYSTEM "file:///etc/passwd"><Document`),
		"two amounts":         swap(`<Amt Ccy="MAD">2.50</Amt>`, `<Amt Ccy="MAD">2.50</Amt><Amt Ccy="MAD">9.50</Amt>`),
		"two marks":           swap(`<CdtDbtInd>CRDT</CdtDbtInd><Sts>`, `<CdtDbtInd>CRDT</CdtDbtInd><CdtDbtInd>DBIT</CdtDbtInd><Sts>`),
		"two references":      swap(`<EndToEndId>a</EndToEndId>`, `<EndToEndId>a</EndToEndId><EndToEndId>b</EndToEndId>`),
		"two closings":        swap(bal("CLBD", "12.50"), bal("CLBD", "12.50")+bal("CLBD", "0.00")),
		"trailing text":       good + "more",
		"a second document":   good + good[strings.Index(good, "<Document"):],
		"another instruction": swap("<Document", `<?xml-stylesheet href="x"?><Document`),
		"a foreign element":   swap("<Refs>", `<x:Ustrd xmlns:x="urn:x"/><Refs>`),
		"another family":      swap("camt.053.001.08", "camt.054.001.08"),
		"another version":     swap("camt.053.001.08", "camt.053.001.99"),
		"no namespace":        swap(` xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"`, ""),
		"another message":     swap("camt.053.001.08", "pain.001.001.03"),
		"an exponent":         swap(">2.50<", ">2.5e0<"),
		"a negative":          swap(">2.50<", ">-2.50<"),
		"a comma":             swap(">2.50<", ">2,50<"),
		"a fraction too fine": swap(">2.50<", ">2.505<"),
		"too much":            swap(">2.50<", ">9999999999999999<"),
		"no currency":         swap(`<Ntry><Amt Ccy="MAD">`, `<Ntry><Amt>`),
		"no mark":             swap(`<CdtDbtInd>CRDT</CdtDbtInd><Sts>`, `<Sts>`),
		"a mark of its own":   swap(`<CdtDbtInd>CRDT</CdtDbtInd><Sts>`, `<CdtDbtInd>credit</CdtDbtInd><Sts>`),
		"a date that is none": swap("<BookgDt><Dt>2026-11-21", "<BookgDt><Dt>2026-11-31"),
		"no account":          swap("<Othr><Id>001810007800020110620318</Id></Othr>", ""),
		"no name":             swap("<Id>S1</Id>", ""),
		"no message name":     swap("<MsgId>M1</MsgId>", ""),
		"no statement":        head + "</BkToCstmrStmt></Document>",
		"a sequence of words": swap(">7<", ">seven<"),
		"UTF-16":              swap("UTF-8", "UTF-16"),
		"bytes that are none": swap("<Id>S1</Id>", "<Id>S\xff1</Id>"),
		"a control character": swap("<Id>S1</Id>", "<Id>S\x011</Id>"),
		"too deep":            swap("<BkTxCd/>", strings.Repeat("<a>", 60)+strings.Repeat("</a>", 60)),
		"20,000 deep":         swap("<BkTxCd/>", strings.Repeat("<a>", 20_000)+strings.Repeat("</a>", 20_000)),
		"too many":            swap("<BkTxCd/>", strings.Repeat("<a/>", 500_001)),
		"too long":            good + strings.Repeat(" ", 20<<20),
		"crossed ends":        swap("</Amt>", "</Ntry>"),
		"nothing":             "",
		"not XML":             "RIB;montant\n1;2",
	} {
		m, err := read(t, text)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != "bank.file_unreadable" || f.Kind != fault.Invalid || len(f.Details) != 1 || f.Details[0].Detail == "" || len(m.Statements) != 0 {
			t.Errorf("%s: %v, want bank.file_unreadable with its detail", name, err)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	t.Parallel()
	good := stmt("10.00", "12.50", ntry("2.50", "CRDT", tx("a", "2.50", "CRDT", fee("2.50", "0.00"))))
	for i := range len(good) {
		if m, err := read(t, good[:i]); !errors.Is(err, bank.ErrUnreadable) {
			t.Fatalf("cut at %d of %d it was read: %+v, %v", i, len(good), m, err)
		}
	}
}

func TestSupplementaryDataIsPassedOver(t *testing.T) {
	t.Parallel()
	more := `<SplmtryData><Envlp><x:Amt xmlns:x="urn:x">9</x:Amt><x:Amt xmlns:x="urn:x">9</x:Amt></Envlp></SplmtryData>`
	m, err := read(t, stmt("10.00", "12.50", ntry("2.50", "CRDT", tx("a", "2.50", "CRDT", more))))
	if err != nil || m.Statements[0].Entries[0].Amount.Amount() != "2.50" || m.Statements[0].Check() != nil {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestLatinEncodingIsDecoded(t *testing.T) {
	t.Parallel()
	text := stmt("10.00", "12.50", strings.Replace(ntry("2.50", "CRDT", tx("a", "2.50", "CRDT", "")), "</Ntry>", "<AddtlNtryInf>Règlement d’été</AddtlNtryInf></Ntry>", 1))
	text = strings.Replace(strings.ReplaceAll(text, "’", "'"), "UTF-8", "ISO-8859-1", 1)
	b, err := charmap.ISO8859_1.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	m, err := read(t, b)
	if err != nil || m.Statements[0].Entries[0].Info != "Règlement d'été" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := read(t, "\ufeff"+stmt("0.00", "0.00", "")); err != nil {
		t.Errorf("a byte order mark: %v", err)
	}
}

func TestReportLevelsInherit(t *testing.T) {
	t.Parallel()
	pain := func(group, payment, item string) string {
		return `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>R1</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>B1</OrgnlMsgId>` +
			group + `</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId>` + payment + item + `</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`
	}
	one := func(sts string) string {
		return `<TxInfAndSts><OrgnlEndToEndId>p1</OrgnlEndToEndId>` + sts + `</TxInfAndSts>`
	}
	why := `<StsRsnInf><Rsn><Cd>FF01</Cd></Rsn><AddtlInf>bad file</AddtlInf></StsRsnInf>`
	for _, c := range []struct {
		name, text string
		want       bank.Item
	}{
		{"from the group", pain("<GrpSts>RJCT</GrpSts>"+why, "", one("")), bank.Item{Ref: "p1", Standing: bank.Rejected, Reason: "FF01", Text: "bad file"}},
		{"from the group, unlisted", pain("<GrpSts>RJCT</GrpSts>"+why, "", ""), bank.Item{Ref: "p1", Standing: bank.Rejected, Reason: "FF01", Text: "bad file"}},
		{"from the payment, unlisted", pain("", "<PmtInfSts>RJCT</PmtInfSts>"+why, ""), bank.Item{Ref: "p1", Standing: bank.Rejected, Reason: "FF01", Text: "bad file"}},
		{"the payment over the group", pain("<GrpSts>PART</GrpSts>", "<PmtInfSts>ACSP</PmtInfSts>", one("")), bank.Item{Ref: "p1", Standing: bank.Accepted}},
		{"its own over both", pain("<GrpSts>RJCT</GrpSts>"+why, "<PmtInfSts>RJCT</PmtInfSts>", one("<TxSts>ACSC</TxSts>")), bank.Item{Ref: "p1", Standing: bank.Settled}},
		{"a part says nothing of one", pain("<GrpSts>PART</GrpSts>", "", one("")), bank.Item{Ref: "p1", Standing: bank.Pending}},
		{"no word at all", pain("", "", one("")), bank.Item{Ref: "p1", Standing: bank.Pending}},
		{"an unlisted code", pain("", "", one("<TxSts>XXXX</TxSts>")), bank.Item{Ref: "p1", Standing: bank.Pending}},
		{"received", pain("", "", one("<TxSts>RCVD</TxSts>")), bank.Item{Ref: "p1", Standing: bank.Taken}},
	} {
		m, err := read(t, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := m.Report.Of("p1"); got != c.want || m.Report.OriginalID != "B1" {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if _, err := read(t, strings.Replace(pain("", "", ""), "<OrgnlMsgId>B1</OrgnlMsgId>", "", 1)); !errors.Is(err, bank.ErrUnreadable) {
		t.Errorf("a report on nothing: %v", err)
	}
}

func TestAnyStatementThatBalancesIsReadExactly(t *testing.T) {
	t.Parallel()
	d := offline(t, profiles["RIB"])
	rapid.Check(t, func(t *rapid.T) {
		sum, entries := int64(1_000_000_000), ""
		amounts := rapid.SliceOfN(rapid.Int64Range(-9_999_999, 9_999_999), 0, 12).Draw(t, "amounts")
		for i, a := range amounts {
			mark, abs := "CRDT", a
			if a < 0 {
				mark, abs = "DBIT", -a
			}
			sum += a
			text := money.Dirhams(abs).Amount()
			entries += ntry(text, mark, tx(fmt.Sprintf("p%d", i), text, mark, ""))
		}
		m, err := d.Read(bank.Received{Bytes: []byte(stmt("10000000.00", money.Dirhams(sum).Amount(), entries))})
		if err != nil || m.Statements[0].Check() != nil {
			t.Fatalf("%v, %v", err, m)
		}
		for i, e := range m.Statements[0].Entries {
			if e.Amount.Centimes() != amounts[i] || e.Details[0].Amount.Centimes() != amounts[i] || e.Details[0].Ref != fmt.Sprintf("p%d", i) {
				t.Fatalf("entry %d is %+v, want %d", i, e, amounts[i])
			}
		}
		m.Statements[0].Closing = m.Statements[0].Closing.Add(money.Dirhams(1))
		if m.Statements[0].Check() == nil {
			t.Fatal("a centime too many was not seen")
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(stmt("10.00", "12.50", ntry("2.50", "CRDT", tx("a", "2.50", "CRDT", fee("2.50", "0.00"))))))
	if dir := os.Getenv("TIWIZA_SPECS"); dir != "" {
		files, _ := filepath.Glob(filepath.Join(dir, "samples", "*.xml"))
		for _, name := range files {
			if b, err := os.ReadFile(name); err == nil {
				f.Add(b)
			}
		}
	}
	for status, reason := range map[string]string{"RJCT": "AC04", "ACSP": "", "PART": "", "RJCT ": "AM05"} {
		f.Add(fmt.Appendf(nil, `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt>
			<GrpHdr><MsgId>R</MsgId><CreDtTm>2026-11-22T00:00:00Z</CreDtTm></GrpHdr>
			<OrgnlGrpInfAndSts><OrgnlMsgId>FIL1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.03</OrgnlMsgNmId><GrpSts>%s</GrpSts></OrgnlGrpInfAndSts>
			<OrgnlPmtInfAndSts><OrgnlPmtInfId>FIL1</OrgnlPmtInfId><TxInfAndSts><OrgnlEndToEndId>PAY1</OrgnlEndToEndId><TxSts>%[1]s</TxSts>
			<StsRsnInf><Rsn><Cd>%s</Cd></Rsn></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`, status, reason))
	}
	d := offline(f, profiles["RIB"])
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := d.Read(bank.Received{Name: "f.xml", Bytes: b})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; len(b) < 64<<10 && used > 16<<20 {
			t.Errorf("%d bytes took %d MB to read", len(b), used>>20)
		}
		if err != nil && !errors.Is(err, bank.ErrUnreadable) {
			t.Errorf("%v is not ErrUnreadable", err)
		}
		if err == nil {
			agrees(t, b, m)
			judges(t, b, m.Report)
		}
	})
}

// judges holds a report to the file's own words: nothing is refused that it does
// not call refused, nothing is settled that it does not call so.
func judges(t *testing.T, b []byte, r *bank.Report) {
	t.Helper()
	if r == nil || bytes.ContainsAny(b, "&") || bytes.Contains(b, []byte("<!")) || !utf8.Valid(b) {
		return // no report, or its words may be written otherwise
	}
	words := map[bank.Standing]string{bank.Rejected: "RJCT|CANC", bank.Again: "RJCT|CANC", bank.Settled: "ACSC|ACCC", bank.Accepted: "AC", bank.Partial: "PART"}
	for _, i := range append(slices.Clone(r.Items), bank.Item{Standing: r.Group}) {
		if w := words[i.Standing]; !regexp.MustCompile(w).Match(b) {
			t.Fatalf("%s is %s, and the file never says %s", i.Ref, i.Standing, w)
		}
	}
}

// A file that goes out again is refused as a duplicate by a bank that has it:
// that says nothing against the first.
func TestARefusedDuplicateIsNoRefusal(t *testing.T) {
	t.Parallel()
	const doc = `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt>
		<GrpHdr><MsgId>R</MsgId><CreDtTm>2026-11-22T00:00:00Z</CreDtTm></GrpHdr>
		<OrgnlGrpInfAndSts><OrgnlMsgId>FIL1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.03</OrgnlMsgNmId><GrpSts>RJCT</GrpSts>
		<StsRsnInf><Rsn><Cd>%s</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>`
	for reason, want := range map[string]bank.Standing{"AM05": bank.Again, "DU01": bank.Again, "AC04": bank.Rejected} {
		m, err := read(t, fmt.Sprintf(doc, reason))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Report.Of("PAY1").Standing; got != want {
			t.Errorf("%s: %s, want %s", reason, got, want)
		}
	}
}
