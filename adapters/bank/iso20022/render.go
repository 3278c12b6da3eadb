package iso20022

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strconv"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/latin"
	"tiwiza/pkg/money"
)

// signs are those the Latin set of ISO 20022 allows beside letters, digits and
// the space.
const signs = "/-?:().,'+"

const namespace = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"

// The elements of pain.001.001.03 that a credit transfer needs, in the order
// of the schema.
type (
	document struct {
		XMLName    xml.Name   `xml:"Document"`
		Xmlns      string     `xml:"xmlns,attr"`
		Initiation initiation `xml:"CstmrCdtTrfInitn"`
	}
	initiation struct {
		Header  header  `xml:"GrpHdr"`
		Payment payment `xml:"PmtInf"`
	}
	header struct {
		MsgID   string `xml:"MsgId"`
		Created string `xml:"CreDtTm"`
		Count   string `xml:"NbOfTxs"`
		Sum     string `xml:"CtrlSum"`
		Party   party  `xml:"InitgPty"`
	}
	payment struct {
		ID       string     `xml:"PmtInfId"`
		Method   string     `xml:"PmtMtd"`
		Batch    bool       `xml:"BtchBookg"`
		Count    string     `xml:"NbOfTxs"`
		Sum      string     `xml:"CtrlSum"`
		Execute  string     `xml:"ReqdExctnDt"`
		Debtor   party      `xml:"Dbtr"`
		Account  account    `xml:"DbtrAcct"`
		Agent    agent      `xml:"DbtrAgt"`
		Charges  string     `xml:"ChrgBr"`
		Transfer []transfer `xml:"CdtTrfTxInf"`
	}
	transfer struct {
		InstrID  string  `xml:"PmtId>InstrId"`
		EndToEnd string  `xml:"PmtId>EndToEndId"`
		Amount   amount  `xml:"Amt>InstdAmt"`
		Agent    *agent  `xml:"CdtrAgt"`
		Creditor party   `xml:"Cdtr"`
		Account  account `xml:"CdtrAcct"`
		Info     *remit  `xml:"RmtInf"`
	}
	party struct {
		Name string `xml:"Nm"`
		ICE  *other `xml:"Id>OrgId>Othr"`
	}
	account struct {
		IBAN string `xml:"Id>IBAN,omitempty"`
		Othr *other `xml:"Id>Othr"`
		Ccy  string `xml:"Ccy,omitempty"`
	}
	agent struct {
		BIC  string `xml:"FinInstnId>BIC,omitempty"`
		Othr *other `xml:"FinInstnId>Othr"`
	}
	other struct {
		ID     string  `xml:"Id"`
		Scheme *scheme `xml:"SchmeNm"`
	}
	scheme struct {
		Code string `xml:"Cd,omitempty"`
		Own  string `xml:"Prtry,omitempty"`
	}
	amount struct {
		Currency string `xml:"Ccy,attr"`
		Value    string `xml:",chardata"`
	}
	remit struct {
		Text string `xml:"Ustrd"`
	}
)

// Render writes pain.001.001.03. The same batch always makes the same bytes.
func (d *Driver) Render(b bank.Batch) (bank.File, error) {
	sum := money.Dirhams(0)
	transfers := make([]transfer, len(b.Transfers))
	for i, t := range b.Transfers {
		sum = sum.Add(t.Amount)
		transfers[i] = d.transfer(t)
	}
	count := strconv.Itoa(len(b.Transfers))
	us := party{Name: latin.Keep(d.cfg.Profile.Initiator, signs, 70)}
	if d.cfg.Profile.ICE != "" {
		us.ICE = &other{d.cfg.Profile.ICE, &scheme{Own: "ICE"}}
	}
	from := d.account(b.From)
	from.Ccy = money.MAD
	doc := document{Xmlns: namespace, Initiation: initiation{
		Header: header{b.ID, b.Created.UTC().Format("2006-01-02T15:04:05Z"), count, sum.Amount(), us},
		Payment: payment{
			ID: b.ID, Method: "TRF", Count: count, Sum: sum.Amount(), Execute: b.Execute.Format("2006-01-02"),
			Debtor: party{Name: latin.Keep(b.From.Name, signs, 70)}, Account: from, Agent: debtorAgent(b.From.BIC),
			Charges: "SLEV", Transfer: transfers,
		},
	}}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	if err := xml.NewEncoder(&out).Encode(doc); err != nil {
		return bank.File{}, fmt.Errorf("write pain.001 %s: %w", b.ID, err)
	}
	hash := sha256.Sum256(out.Bytes())
	name := "PAIN001_" + b.ID + "_" + b.Created.UTC().Format("20060102T150405Z") + ".xml"
	return bank.File{Name: name, Bytes: out.Bytes(), SHA256: hex.EncodeToString(hash[:])}, nil
}

func (d *Driver) transfer(t bank.Transfer) transfer {
	out := transfer{
		InstrID: t.Ref, EndToEnd: t.Ref,
		Amount:   amount{t.Amount.Currency(), t.Amount.Amount()},
		Creditor: party{Name: latin.Keep(t.To.Name, signs, 70)}, Account: d.account(t.To),
	}
	if t.To.BIC != "" {
		out.Agent = &agent{BIC: t.To.BIC}
	}
	if info := latin.Keep(t.Info, signs, 140); info != "" {
		out.Info = &remit{info}
	}
	return out
}

func (d *Driver) account(a bank.Account) account {
	if d.cfg.Profile.IBAN {
		return account{IBAN: bank.IBAN(a.RIB)}
	}
	return account{Othr: &other{a.RIB, &scheme{Code: "BBAN"}}}
}

func debtorAgent(bic string) agent {
	if bic == "" {
		return agent{Othr: &other{ID: "NOTPROVIDED"}}
	}
	return agent{BIC: bic}
}
