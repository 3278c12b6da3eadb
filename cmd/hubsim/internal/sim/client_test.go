package sim_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// dial comes in with the right keys; the caller closes.
func (r *rig) dial() (*sftp.Client, func(), error) {
	signer, err := ssh.ParsePrivateKey([]byte(r.config.Bank.PrivateKey))
	if err != nil {
		r.t.Fatal(err)
	}
	return r.dialAs(signer)
}

func (r *rig) dialAs(signer ssh.Signer) (*sftp.Client, func(), error) {
	host, _, _, _, err := ssh.ParseAuthorizedKey([]byte(r.config.Bank.HostKey))
	if err != nil {
		r.t.Fatal(err)
	}
	raw, err := net.DialTimeout("tcp", r.config.Bank.SFTPAddr, 2*time.Second)
	if err != nil {
		return nil, nil, err
	}
	_ = raw.SetDeadline(time.Now().Add(20 * time.Second))
	c, chans, reqs, err := ssh.NewClientConn(raw, r.config.Bank.SFTPAddr, &ssh.ClientConfig{
		User: r.config.Bank.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.FixedHostKey(host),
	})
	if err != nil {
		raw.Close()
		return nil, nil, err
	}
	conn := ssh.NewClient(c, chans, reqs)
	client, err := sftp.NewClient(conn)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return client, func() { client.Close(); conn.Close() }, nil
}

// upload publishes a file the way a careful client does; the error is that of
// the first step that failed.
func (r *rig) upload(name, body string) error {
	c, done, err := r.dial()
	if err != nil {
		return err
	}
	defer done()
	temp := "/in/." + name + ".tmp"
	f, err := c.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte(body)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	return c.Rename(temp, "/in/"+name)
}

// send uploads and wants no trouble.
func (r *rig) send(name, body string) {
	r.t.Helper()
	if err := r.upload(name, body); err != nil {
		r.t.Fatalf("upload %s: %v", name, err)
	}
}

// files are the names in one of the bank's folders, seen from the inside.
func (r *rig) files(folder, prefix string) []string {
	return r.glob(folder, prefix+"*")
}

func (r *rig) glob(folder, pattern string) []string {
	found, err := filepath.Glob(filepath.Join(r.conf.DataDir, "bank", folder, pattern))
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

// file waits for the only file with a prefix, and reads it.
func (r *rig) file(folder, prefix string) string {
	r.t.Helper()
	r.wait(func() (bool, string) {
		return len(r.files(folder, prefix)) > 0, "no file " + folder + "/" + prefix
	})
	b, err := os.ReadFile(r.files(folder, prefix)[0])
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// A tr is one transfer of a test's instruction.
type tr struct{ ref, amount, rib string }

// Accounts of the tests: two good ones, a closed one, one with a wrong key.
const (
	ribA      = "011519000001205000534921"
	ribB      = "225010000000000000000148"
	ribClosed = "999780000000000000016692"
	// what is paid to it comes back
	ribClosing = "999780000000000000017759"
	ribWrong   = "011519000001205000534922"
)

// instruction is pain.001.001.03, or .09.
func instruction(version, msgID, debtor string, transfers ...tr) string {
	var sum int64
	var b bytes.Buffer
	date, bic := "<ReqdExctnDt>2026-11-23</ReqdExctnDt>", "BIC"
	if version == "09" {
		date, bic = "<ReqdExctnDt><Dt>2026-11-23</Dt></ReqdExctnDt>", "BICFI"
	}
	for _, t := range transfers {
		sum += centimes(t.amount)
		acct := "<Othr><Id>" + t.rib + "</Id><SchmeNm><Cd>BBAN</Cd></SchmeNm></Othr>"
		if version == "09" {
			acct = "<IBAN>MA64" + t.rib + "</IBAN>"
		}
		fmt.Fprintf(&b, `<CdtTrfTxInf><PmtId><InstrId>I-%s</InstrId><EndToEndId>%s</EndToEndId></PmtId><Amt><InstdAmt Ccy="MAD">%s</InstdAmt></Amt><Cdtr><Nm>Cooperative Exemple</Nm></Cdtr><CdtrAcct><Id>%s</Id></CdtrAcct><RmtInf><Ustrd>essai</Ustrd></RmtInf></CdtTrfTxInf>`, t.ref, t.ref, t.amount, acct)
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.%s"><CstmrCdtTrfInitn><GrpHdr><MsgId>%s</MsgId><CreDtTm>2026-11-21T10:00:00</CreDtTm><NbOfTxs>%d</NbOfTxs><CtrlSum>%s</CtrlSum><InitgPty><Nm>Exemple</Nm></InitgPty></GrpHdr><PmtInf><PmtInfId>%s-1</PmtInfId><PmtMtd>TRF</PmtMtd>%s<Dbtr><Nm>Exemple</Nm></Dbtr><DbtrAcct><Id><Othr><Id>%s</Id><SchmeNm><Cd>BBAN</Cd></SchmeNm></Othr></Id></DbtrAcct><DbtrAgt><FinInstnId><%s>EXMPMAMC</%s></FinInstnId></DbtrAgt>%s</PmtInf></CstmrCdtTrfInitn></Document>`,
		version, msgID, len(transfers), dirhams(sum), msgID, date, debtor, bic, bic, b.String())
}

func dirhams(c int64) string { return fmt.Sprintf("%d.%02d", c/100, c%100) }

func centimes(s string) int64 {
	var d, c int64
	if _, err := fmt.Sscanf(s, "%d.%02d", &d, &c); err != nil {
		panic(err)
	}
	return d*100 + c
}
