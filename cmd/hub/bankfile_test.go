package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// archived are the bank's files that the hub has set aside, by what their name
// begins with, the oldest first.
func (r *rig) archived(t testing.TB, begins string) (files []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(r.dir, "sim", "bank", "archive", begins+"*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("the hub has set no %s* aside (%v)", begins, err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, string(b))
	}
	return files
}

// upload hands a bank file in.
func (r *rig) upload(t testing.TB, key, file string) answer {
	t.Helper()
	return r.ask(t, req{key: key, method: "POST", path: "/v1/statements", body: file, media: "application/octet-stream", idem: once()})
}

// books is everything a bank file could change.
func (r *rig) books(t testing.TB) string {
	t.Helper()
	op := r.operator()
	return r.shows(t, op, "/v1/ledger/trial-balance") + "\n" + r.shows(t, op, "/v1/breaks?limit=100")
}

// bankFiles hands in files that are damaged, altered, foreign or known, and has
// the bank put some out. It needs the books to itself.
func bankFiles(t *testing.T, r *rig) {
	before := r.quiet(t)
	real := r.archived(t, "CAMT053_")[0]
	account := r.config(t).Bank.Safeguard.RIB
	renamed := named(real, "CAMT-TEST-1")
	for _, c := range []struct{ name, file, code string }{
		{"cut off", renamed[:len(renamed)/2], "bank.file_unreadable"},
		{"cut before its last sign", strings.TrimRight(renamed, "\n")[:len(strings.TrimRight(renamed, "\n"))-1], "bank.file_unreadable"},
		{"text", "no statement at all", "bank.file_unreadable"},
		{"a DTD", strings.Replace(renamed, "<Document", "<!DOCTYPE Document [<!ENTITY e \"x\">]><Document", 1), "bank.file_unreadable"},
		{"a closing balance that does not follow", doctored(t, renamed), "bank.statement_unbalanced"},
		{"another's account", strings.ReplaceAll(renamed, account, number(24, 97)), "recon.foreign_account"},
		{"a report on payments", r.archived(t, "PAIN002_")[0], "recon.not_a_statement"},
		{"a report nobody read before", strings.ReplaceAll(named(r.archived(t, "PAIN002_")[0], "PAIN-TEST-1"), "ACSC", "RJCT"), "recon.not_a_statement"},
	} {
		if c.file == real {
			t.Fatalf("the file with %s was not altered", c.name)
		}
		if r.upload(t, r.operator(), c.file).refused(t, 422, c.code); t.Failed() {
			t.Fatalf("… for a file with %s", c.name)
		}
	}
	other := strings.Replace(real, "<AddtlNtryInf>", "<AddtlNtryInf>X", 1)
	if other == real {
		t.Fatal("the statement has nothing to alter")
	}
	r.upload(t, r.operator(), other).refused(t, 409, "recon.statement_differs")
	r.upload(t, r.operator(), "").refused(t, 400, "request.malformed", "/file")
	r.upload(t, r.keys.Buyer.APIKey, real).refused(t, 403, "auth.denied")
	for _, key := range []string{r.operator(), r.keys.Bank.APIKey} {
		first, second := r.upload(t, key, real).into(t, nil), r.upload(t, key, real).into(t, nil)
		if string(first.body) != string(second.body) {
			t.Errorf("a statement handed in twice answers\n%s and\n%s", first.body, second.body)
		}
	}
	r.barred(t, real)
	if after := r.books(t); after != before {
		t.Errorf("files that are refused, or known, changed the books from\n%s to\n%s", before, after)
	}
	r.closing(t)
	r.putOut(t, r.quiet(t))
	r.explains(t)
}

// barred suspends the bank's organisation, whose key then hands in nothing, also
// nothing that is known, and reactivates it.
func (r *rig) barred(t *testing.T, file string) {
	t.Helper()
	m, err := loadNote[market](t.Context(), r.house.store, "demo")
	if err != nil {
		t.Fatal(err)
	}
	org := "/v1/organisations/" + m.Bank
	r.ask(t, req{key: r.operator(), method: "POST", path: org + "/suspend", body: map[string]string{"note": "Contrôle (exemple)"}}).into(t, nil)
	r.upload(t, r.keys.Bank.APIKey, file).refused(t, 403, "recon.suspended")
	r.upload(t, r.keys.Bank.APIKey, strings.Replace(file, "<AddtlNtryInf>", "<AddtlNtryInf>Y", 1)).refused(t, 403, "recon.suspended")
	r.ask(t, req{key: r.operator(), method: "POST", path: org + "/reactivate"}).into(t, nil)
	r.upload(t, r.keys.Bank.APIKey, file).into(t, nil)
}

// closing closes the day of the bank's last statement, once.
func (r *rig) closing(t *testing.T) {
	t.Helper()
	op, day := r.operator(), time.Now().UTC().Format(time.DateOnly)
	q := req{key: op, method: "POST", path: "/v1/closings", body: map[string]string{"day": day}, idem: once()}
	r.ask(t, q).refused(t, 422, "closings.day", "/day")
	r.advance(t, "25h")
	r.quiet(t)
	q.idem = once()
	var c struct {
		Hash    string
		Changed bool
	}
	r.ask(t, q).into(t, &c)
	q.idem = once()
	r.ask(t, q).refused(t, 409, "closings.unchanged")
	var list struct{ Data []struct{ Day, Hash string } }
	if r.ask(t, req{key: op, method: "GET", path: "/v1/closings"}).into(t, &list); len(list.Data) == 0 || list.Data[0].Day != day || list.Data[0].Hash != c.Hash {
		t.Errorf("the days closed are %+v, want %s with %s", list.Data, day, c.Hash)
	}
	var report struct{ Text string }
	r.ask(t, req{key: op, method: "GET", path: "/v1/closings/" + day}).into(t, &report)
	if sum := sha256.Sum256([]byte(report.Text)); hex.EncodeToString(sum[:]) != c.Hash || !strings.Contains(report.Text, r.config(t).Bank.Safeguard.RIB) {
		t.Errorf("the report %.400s hashes to %x, want %s", report.Text, sum, c.Hash)
	}
	r.ask(t, req{key: op, method: "GET", path: "/v1/closings/2020-01-01"}).refused(t, 404, "closings.not_found")
}

// explains has two people give up the payment that nobody ordered, and one the
// damaged file.
func (r *rig) explains(t *testing.T) {
	t.Helper()
	var breaks struct {
		Data []struct{ ID, Kind, About string }
	}
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/breaks?limit=100"}).into(t, &breaks)
	done := 0
	for _, b := range breaks.Data {
		two := strings.Contains(b.About, "PAYNOBODYORDERED")
		if !two && !strings.Contains(b.About, "CAMT053_damaged.xml") {
			continue
		}
		done++
		q := req{key: r.operator(), method: "POST", path: "/v1/breaks/" + b.ID + "/resolve", idem: once(), body: map[string]string{"by": "write_off", "note": "Demandé à la banque (exemple)."}}
		var v struct{ State, Approval string }
		first, second := r.ask(t, q).into(t, &v), r.ask(t, q).into(t, nil)
		if string(first.body) != string(second.body) {
			t.Errorf("resolving again with one key answers\n%s and\n%s", first.body, second.body)
		}
		if two {
			if v.State != "open" {
				t.Errorf("given up by one, a large payment is %s", v.State)
			}
			r.seconded(t, v.Approval)
		}
		q.idem = once()
		r.ask(t, q).refused(t, 409, "breaks.resolved")
		if r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/breaks/" + b.ID}).into(t, &v); v.State != "resolved" {
			t.Errorf("break %s is %s, want resolved", b.ID, v.State)
		}
	}
	if done != 2 {
		t.Errorf("%d breaks were explained, want 2 of %+v", done, breaks.Data)
	}
}

// seconded is the second person's word; the first may not give it.
func (r *rig) seconded(t *testing.T, approval string) {
	t.Helper()
	path := "/v1/approvals/" + approval
	var list struct{ Data []struct{ ID string } }
	if r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/approvals?state=open"}).into(t, &list); len(list.Data) == 0 || list.Data[0].ID != approval {
		t.Errorf("%+v waits for a second person, want %s first", list.Data, approval)
	}
	r.ask(t, req{key: r.operator(), method: "GET", path: path}).into(t, nil)
	yes := map[string]string{"decision": "approve"}
	r.ask(t, req{key: r.operator(), method: "POST", path: path, body: yes, idem: once()}).refused(t, 403, "approvals.self")
	r.ask(t, req{key: r.keys.SecondOperator.APIKey, method: "POST", path: path, body: yes, idem: once()}).into(t, nil)
}

// named is a bank file under another identification.
func named(file, id string) string {
	return regexp.MustCompile(`<(MsgId|Id)>(CAMT|P)[^<]*</(MsgId|Id)>`).ReplaceAllString(file, "<$1>"+id+"</$3>")
}

var closing = regexp.MustCompile(`(?s)(<Cd>CLBD</Cd>.*?<Amt Ccy="MAD">)([0-9.]+)(</Amt>)`)

// doctored is a statement whose closing balance is one centime more.
func doctored(t testing.TB, file string) string {
	t.Helper()
	m := closing.FindStringSubmatch(file)
	if m == nil {
		t.Fatalf("the statement has no closing balance: %.1500s", file)
	}
	return strings.Replace(file, m[0], m[1]+"1"+m[2]+m[3], 1)
}

// putOut has the bank itself put out a file that cannot be read, a known one
// under a new name, and a statement of a payment that nobody ordered. The first
// and the last are listed as breaks; none moves the books.
func (r *rig) putOut(t *testing.T, before string) {
	real := r.archived(t, "CAMT053_")
	last := real[len(real)-1]
	m := closing.FindStringSubmatch(last)
	if m == nil {
		t.Fatalf("the statement has no closing balance: %.1500s", last)
	}
	account := r.config(t).Bank.Safeguard.RIB
	for name, file := range map[string]string{
		"CAMT053_damaged.xml": last[:len(last)/2], "CAMT053_again_bis.xml": last, "CAMT053_unordered.xml": unordered(account),
	} {
		path := filepath.Join(r.dir, "sim", "bank", "out", name)
		if err := os.WriteFile(path+".part", []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".part", path); err != nil {
			t.Fatal(err)
		}
		r.until(t, "the hub to take "+name, func() bool { _, err := os.Stat(path); return os.IsNotExist(err) })
	}
	var breaks struct {
		Data []struct{ Kind, About, Why string }
	}
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/breaks?limit=100"}).into(t, &breaks)
	found := map[string]int{}
	for _, b := range breaks.Data {
		if strings.Contains(b.About, "CAMT053_damaged.xml") || strings.Contains(b.About, "PAYNOBODYORDERED") {
			found[b.Kind]++
		}
	}
	if found["unreadable"] != 1 || found["unmatched"] != 1 {
		t.Errorf("the breaks are %+v, want the damaged file as unreadable and the unordered payment as unmatched", breaks.Data)
	}
	want, _, _ := strings.Cut(before, "\n")
	if got, _, _ := strings.Cut(r.books(t), "\n"); got != want {
		t.Errorf("the bank's odd files changed the books from\n%s to\n%s", want, got)
	}
	if out, code := r.command(t, "verify"); code != 1 || !strings.Contains(out, "CAMT-TEST-9") {
		t.Errorf("hub verify exits %d when the bank states another balance than the books, want 1 and the statement's name\n%s", code, violated(out))
	}
}

// unordered is a statement of ours with one payment that is not.
func unordered(account string) string {
	now := time.Now().UTC()
	day := now.Format(time.DateOnly)
	balance := func(code, amount string) string {
		return `<Bal><Tp><CdOrPrtry><Cd>` + code + `</Cd></CdOrPrtry></Tp><Amt Ccy="MAD">` + amount + `</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>` + day + `</Dt></Dt></Bal>`
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>CAMT-TEST-9</MsgId><CreDtTm>%[5]s</CreDtTm></GrpHdr>
<Stmt><Id>CAMT-TEST-9</Id><ElctrncSeqNb>900</ElctrncSeqNb><CreDtTm>%[5]s</CreDtTm><Acct><Id><Othr><Id>%[2]s</Id></Othr></Id><Ccy>MAD</Ccy></Acct>%[3]s%[4]s
<Ntry><NtryRef>EX9</NtryRef><Amt Ccy="MAD">150.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>%[1]s</Dt></BookgDt><ValDt><Dt>%[1]s</Dt></ValDt><AcctSvcrRef>EX9</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>PAYNOBODYORDERED</EndToEndId></Refs><Amt Ccy="MAD">150.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>`, day, account, balance("OPBD", "200.00"), balance("CLBD", "50.00"), now.Format(time.RFC3339))
}

// quiet waits until nothing changes the books any more, and gives them.
func (r *rig) quiet(t *testing.T) string {
	t.Helper()
	before, since := r.books(t), time.Now()
	r.until(t, "the books to come to rest", func() bool {
		now := r.books(t)
		if now != before {
			before, since = now, time.Now()
		}
		return r.idle(t, since, 3*time.Second)
	})
	return before
}
