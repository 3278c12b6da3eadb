package sim_test

import (
	"encoding/xml"
	"os"
	"sort"
	"testing"
)

// camt is what the tests read of a statement.
type camt struct {
	Stmt []struct {
		ID  string `xml:"Id"`
		Seq int64  `xml:"ElctrncSeqNb"`
		Lgl int64  `xml:"LglSeqNb"`
		RIB string `xml:"Acct>Id>Othr>Id"`
		Bal []struct {
			Code string `xml:"Tp>CdOrPrtry>Cd"`
			Amt  string `xml:"Amt"`
			Dir  string `xml:"CdtDbtInd"`
		}
		Ntry []ntry
	} `xml:"BkToCstmrStmt>Stmt"`
}

type ntry struct {
	Amt    string   `xml:"Amt"`
	Dir    string   `xml:"CdtDbtInd"`
	Sts    string   `xml:"Sts>Cd"`
	Ref    string   `xml:"AcctSvcrRef"`
	Info   string   `xml:"AddtlNtryInf"`
	TxDtls []txDtls `xml:"NtryDtls>TxDtls"`
}

type txDtls struct {
	EndToEnd string `xml:"Refs>EndToEndId"`
	InstrID  string `xml:"Refs>InstrId"`
	Amt      string `xml:"Amt"`
	Dir      string `xml:"CdtDbtInd"`
	Gross    string `xml:"AmtDtls>InstdAmt>Amt"`
	Fee      string `xml:"Chrgs>Rcrd>Amt"`
	FeeDir   string `xml:"Chrgs>Rcrd>CdtDbtInd"`
	Return   string `xml:"RtrInf>Rsn>Cd"`
}

func signed(amount, dir string) int64 {
	if dir == "DBIT" {
		return -centimes(amount)
	}
	return centimes(amount)
}

// entries reads all statements of an account, checks that each adds up, that
// each opens where the one before closed and that no number is missing, and
// gives all entries.
func (r *rig) entries(rib string) []ntry {
	r.t.Helper()
	var all []camt
	for _, name := range r.files("out", "CAMT053_"+rib) {
		b, err := os.ReadFile(name)
		if err != nil {
			r.t.Fatal(err)
		}
		var c camt
		if err := xml.Unmarshal(b, &c); err != nil || len(c.Stmt) != 1 {
			r.t.Fatalf("%s: %v, %d statements", name, err, len(c.Stmt))
		}
		all = append(all, c)
	}
	sort.Slice(all, func(a, b int) bool { return all[a].Stmt[0].Seq < all[b].Stmt[0].Seq })
	var out []ntry
	at := map[string]int64{r.config.Bank.Operating.RIB: 100_000_00}[rib]
	for i, c := range all {
		s := c.Stmt[0]
		if s.Seq != int64(i+1) || s.Lgl != s.Seq || s.RIB != rib {
			r.t.Errorf("statement %d of %s has number %d, %d of %s", i+1, rib, s.Seq, s.Lgl, s.RIB)
		}
		if len(s.Bal) != 2 || s.Bal[0].Code != "OPBD" || signed(s.Bal[0].Amt, s.Bal[0].Dir) != at {
			r.t.Errorf("statement %d opens with %+v, want %d", s.Seq, s.Bal, at)
		}
		for _, e := range s.Ntry {
			at += signed(e.Amt, e.Dir)
			if e.Sts != "BOOK" || e.Ref == "" {
				r.t.Errorf("entry %+v is not booked or has no reference", e)
			}
		}
		if s.Bal[1].Code != "CLBD" || signed(s.Bal[1].Amt, s.Bal[1].Dir) != at {
			r.t.Errorf("statement %d closes with %+v, want %d", s.Seq, s.Bal[1], at)
		}
		out = append(out, s.Ntry...)
	}
	return out
}

// entry waits for the only entry with an EndToEndId on an account.
func (r *rig) entry(rib, ref string) ntry {
	r.t.Helper()
	var found []ntry
	r.wait(func() (bool, string) {
		found = nil
		for _, e := range r.entries(rib) {
			if len(e.TxDtls) > 0 && e.TxDtls[0].EndToEnd == ref {
				found = append(found, e)
			}
		}
		return len(found) > 0, "no entry for " + ref
	})
	if len(found) > 1 {
		r.t.Errorf("%d entries for %s, want 1", len(found), ref)
	}
	return found[0]
}

func TestAmountsOfTheTests(t *testing.T) {
	t.Parallel()
	if got := dirhams(centimes("98.20")); got != "98.20" {
		t.Errorf("98.20 comes back as %s", got)
	}
}
