package iso20022_test

import (
	"bytes"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/iso20022"
	"tiwiza/pkg/money"
)

func batch() bank.Batch {
	day := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	return bank.Batch{
		ID: "fil_01jd0000000000000000000001", Created: day, Execute: day.AddDate(0, 0, 2),
		From: bank.Account{RIB: "001810007800020110620318", Name: "Compte de cantonnement", BIC: "BKAMMAMR"},
		Transfers: []bank.Transfer{
			{
				Ref: "pay_01jd0000000000000000000001", Amount: money.MustParse("1000.00", money.MAD), Info: "ord_1 <&> «é»",
				To: bank.Account{RIB: "310810101402900442310133", Name: "تعاونية أركان", BIC: "BCMAMAMC"},
			},
			{
				Ref: "pay_01jd0000000000000000000002", Amount: money.MustParse("234.50", money.MAD),
				To: bank.Account{RIB: "011519000001205000534921", Name: "Coopérative d’Aït Baha & Fils " + strings.Repeat("é", 80)},
			},
		},
	}
}

// offline is a driver for what needs no connection.
func offline(t testing.TB, p iso20022.Profile) *iso20022.Driver {
	t.Helper()
	key := newPair(t)
	d, err := iso20022.New(iso20022.Config{
		Addr: "bank.example:22", User: "hub", PrivateKey: key.pem, HostKey: key.line, Profile: p,
		Dirs: iso20022.Dirs{In: "/in", Out: "/out", Ack: "/ack", Archive: "/archive"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var profiles = map[string]iso20022.Profile{
	"RIB":          {Initiator: "Tiwiza", ICE: "001561191000066"},
	"IBAN, no ICE": {Initiator: "Tiwiza", IBAN: true},
}

func TestFileSaysWhatTheBatchSays(t *testing.T) {
	t.Parallel()
	f, err := offline(t, profiles["RIB"]).Render(batch())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Name, "PAIN001_fil_01jd0000000000000000000001_20261121T100000Z.xml"; got != want {
		t.Errorf("name = %s, want %s", got, want)
	}
	var doc struct {
		Head struct {
			MsgId, CreDtTm, NbOfTxs, CtrlSum string
			ICE                              string `xml:"InitgPty>Id>OrgId>Othr>Id"`
		} `xml:"CstmrCdtTrfInitn>GrpHdr"`
		Pay struct {
			PmtMtd, NbOfTxs, CtrlSum, ReqdExctnDt, ChrgBr string
			From                                          string `xml:"DbtrAcct>Id>Othr>Id"`
			BIC                                           string `xml:"DbtrAgt>FinInstnId>BIC"`
			Tx                                            []struct {
				Ref  string `xml:"PmtId>EndToEndId"`
				Amt  string `xml:"Amt>InstdAmt"`
				BIC  string `xml:"CdtrAgt>FinInstnId>BIC"`
				Name string `xml:"Cdtr>Nm"`
				RIB  string `xml:"CdtrAcct>Id>Othr>Id"`
				Info string `xml:"RmtInf>Ustrd"`
			} `xml:"CdtTrfTxInf"`
		} `xml:"CstmrCdtTrfInitn>PmtInf"`
	}
	if err := xml.Unmarshal(f.Bytes, &doc); err != nil {
		t.Fatal(err)
	}
	h, p := doc.Head, doc.Pay
	if h.MsgId != batch().ID || h.CreDtTm != "2026-11-21T10:00:00Z" || h.NbOfTxs != "2" || h.CtrlSum != "1234.50" || h.ICE != "001561191000066" {
		t.Errorf("header = %+v", h)
	}
	if p.PmtMtd != "TRF" || p.NbOfTxs != "2" || p.CtrlSum != "1234.50" || p.ReqdExctnDt != "2026-11-23" || p.ChrgBr != "SLEV" || p.From != batch().From.RIB || p.BIC != "BKAMMAMR" {
		t.Errorf("payment = %+v", p)
	}
	if a := p.Tx[0]; a.Ref != "pay_01jd0000000000000000000001" || a.Amt != "1000.00" || a.Name != "Taaounia Arkan" || a.Info != "ord 1 e" || a.RIB != "310810101402900442310133" || a.BIC != "BCMAMAMC" {
		t.Errorf("first transfer = %+v", a)
	}
	if b := p.Tx[1]; len(b.Name) != 70 || !strings.HasPrefix(b.Name, "Cooperative d'Ait Baha Fils eee") || b.Info != "" || b.Amt != "234.50" || b.BIC != "" {
		t.Errorf("second transfer = %+v", b)
	}
}

// specs is the folder of schemas and samples, or "" with the reason told.
func specs(t testing.TB) string {
	dir := os.Getenv("TIWIZA_SPECS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "specs")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the specifications are not here (set TIWIZA_SPECS): %v", err)
	}
	return dir
}

func TestFileIsValid(t *testing.T) {
	t.Parallel()
	xsd := filepath.Join(specs(t), "xsd", "pain.001.001.03.xsd")
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed (apt-get install libxml2-utils): the file is not held against its schema")
	}
	valid := func(b []byte) ([]byte, error) {
		cmd := exec.Command(lint, "--noout", "--schema", xsd, "-")
		cmd.Stdin = bytes.NewReader(b)
		return cmd.CombinedOutput()
	}
	for name, p := range profiles {
		bare := batch()
		bare.From.BIC, bare.Transfers[0].Info = "", ""
		for _, b := range []bank.Batch{batch(), bare} {
			f, err := offline(t, p).Render(b)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := valid(f.Bytes); err != nil {
				t.Errorf("%s: %s\n%s", name, out, f.Bytes)
			}
			if _, err := valid(bytes.Replace(f.Bytes, []byte("<ChrgBr>SLEV</ChrgBr>"), nil, 1)); err != nil {
				t.Errorf("ChrgBr is optional, but the schema says %v", err)
			}
			if _, err := valid(bytes.Replace(f.Bytes, []byte("<PmtMtd>TRF</PmtMtd>"), nil, 1)); err == nil {
				t.Error("the schema takes anything: this test proves nothing")
			}
		}
	}
}
