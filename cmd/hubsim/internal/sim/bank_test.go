package sim_test

import (
	"crypto/ed25519"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"tiwiza/cmd/hubsim/internal/world"
)

// pain002 is what the tests read of an answer.
type pain002 struct {
	MsgID  string `xml:"CstmrPmtStsRpt>OrgnlGrpInfAndSts>OrgnlMsgId"`
	Group  string `xml:"CstmrPmtStsRpt>OrgnlGrpInfAndSts>GrpSts"`
	Reason string `xml:"CstmrPmtStsRpt>OrgnlGrpInfAndSts>StsRsnInf>Rsn>Cd"`
	Tx     []struct {
		Ref    string `xml:"OrgnlEndToEndId"`
		Sts    string `xml:"TxSts"`
		Reason string `xml:"StsRsnInf>Rsn>Cd"`
	} `xml:"CstmrPmtStsRpt>OrgnlPmtInfAndSts>TxInfAndSts"`
}

// ack waits for the n-th answer to a message; it gives the group's standing
// and each transfer's, as "PO-1 RJCT AC01".
func (r *rig) ack(msgID string, n int) (string, []string) {
	r.t.Helper()
	var p pain002
	if err := xml.Unmarshal([]byte(r.file("ack", fmt.Sprintf("PAIN002_%s_%d.xml", msgID, n))), &p); err != nil {
		r.t.Fatal(err)
	}
	var rows []string
	for _, t := range p.Tx {
		rows = append(rows, strings.TrimSpace(t.Ref+" "+t.Sts+" "+t.Reason))
	}
	return strings.TrimSpace(p.Group + " " + p.Reason), rows
}

// fill moves money from the operating account, so that there is something to pay out.
func (r *rig) fill(amount string) {
	r.t.Helper()
	r.send("FILL.xml", instruction("03", "FILL", r.config.Bank.Operating.RIB, tr{"FILL-1", amount, r.config.Bank.Safeguard.RIB}))
	r.want("FILL-1", "bank top_up "+amount)
}

func TestTransfersAreExecutedAnsweredAndStated(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"03", "09"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			r := start(t, time.Hour)
			r.fill("1000.00")
			safeguard, operating := r.config.Bank.Safeguard.RIB, r.config.Bank.Operating.RIB
			r.send("PAY.xml", instruction(version, "PAY", safeguard,
				tr{"PO-1", "200.00", ribA}, tr{"RFD-1", "50.50", ribB}, tr{"SW-1", "100.00", operating},
				tr{"PO-2", "1.00", ribWrong}, tr{"PO-3", "1.00", ribClosed}, tr{"PO-4", "900.00", ribA}, tr{"PO-1", "2.00", ribA}))
			group, rows := r.ack("PAY", 1)
			want := []string{"PO-1 ACSP", "RFD-1 ACSP", "SW-1 ACSP", "PO-2 RJCT AC01", "PO-3 RJCT AC04", "PO-4 RJCT AM04", "PO-1 RJCT AM05"}
			if d := cmp.Diff(want, rows); group != "PART" || d != "" {
				t.Errorf("the answer is %s\n%s", group, d)
			}
			r.want("PO-1", "bank payout 200.00")
			r.want("RFD-1", "bank refund 50.50")
			r.want("SW-1", "bank sweep 100.00")
			for _, ref := range []string{"PO-2", "PO-3", "PO-4"} {
				r.want(ref)
			}
			for ref, amount := range map[string]string{"PO-1": "200.00", "RFD-1": "50.50", "SW-1": "100.00"} {
				if e := r.entry(safeguard, ref); e.Amt != amount || e.Dir != "DBIT" {
					t.Errorf("entry of %s is %s %s", ref, e.Dir, e.Amt)
				}
			}
			if e := r.entry(operating, "SW-1"); e.Amt != "100.00" || e.Dir != "CRDT" {
				t.Errorf("the sweep comes in as %s %s", e.Dir, e.Amt)
			}
			r.file("archive", "PAY.xml")
			r.wait(func() (bool, string) {
				left := r.files("in", "")
				return len(left) == 0, fmt.Sprintf("left in /in: %q", left)
			})
		})
	}
}

func TestAFileThatIsWrongAsAWholeIsRejected(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.fill("10.00")
	s := r.config.Bank.Safeguard.RIB
	whole := func(id string) string { return instruction("03", id, s, tr{"PO-" + id, "1.00", ribA}) }
	for id, body := range map[string]string{
		"COUNT":  strings.Replace(whole("COUNT"), "<NbOfTxs>1", "<NbOfTxs>2", 1),
		"SUM":    strings.Replace(whole("SUM"), "<CtrlSum>1.00", "<CtrlSum>1.01", 1),
		"TWICE":  strings.Replace(whole("TWICE"), "</Amt>", `<InstdAmt Ccy="MAD">1.00</InstdAmt></Amt>`, 1),
		"METHOD": strings.Replace(whole("METHOD"), "TRF", "CHK", 1),
		"PLACES": strings.Replace(whole("PLACES"), ">1.00</InstdAmt>", ">1.001</InstdAmt>", 1),
	} {
		r.send(id+".xml", body)
		if group, _ := r.ack(id, 1); group != "RJCT FF01" {
			t.Errorf("%s is answered %s, want RJCT FF01", id, group)
		}
		r.want("PO-" + id)
	}
	r.send("DTD.xml", strings.Replace(whole("DTD"), "<Document", `<!DOCTYPE x [<!ENTITY a "b">]><Document`, 1))
	if group, _ := r.ack("NOTPROVIDED", 1); group != "RJCT FF01" {
		t.Errorf("a file with a DTD is answered %s", group)
	}
	r.send("FOREIGN.xml", strings.Replace(whole("FOREIGN"), `Ccy="MAD"`, `Ccy="EUR"`, 1))
	if _, rows := r.ack("FOREIGN", 1); len(rows) != 1 || rows[0] != "PO-FOREIGN RJCT AM03" {
		t.Errorf("euros are answered %q", rows)
	}
	r.send("ACCOUNT.xml", instruction("03", "ACCOUNT", ribA, tr{"PO-A", "1.00", ribB}))
	if _, rows := r.ack("ACCOUNT", 1); len(rows) != 1 || rows[0] != "PO-A RJCT AC01" {
		t.Errorf("another's account is answered %q", rows)
	}
}

func TestTheSameMessageTwiceIsExecutedOnce(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	r.fill("10.00")
	body := instruction("03", "M", r.config.Bank.Safeguard.RIB, tr{"PO-1", "1.00", ribA})
	r.send("M.xml", body)
	if group, _ := r.ack("M", 1); group != "ACSP" {
		t.Errorf("first: %s", group)
	}
	r.file("archive", "M.xml")
	r.send("M.xml", body)
	if group, _ := r.ack("M", 2); group != "RJCT AM05" {
		t.Errorf("second: %s", group)
	}
	r.want("PO-1", "bank payout 1.00")
}

func TestOnlyTheRightKeyComesInAndStaysInside(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	_, wrong, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromSigner(wrong)
	if err != nil {
		t.Fatal(err)
	}
	if _, done, err := r.dialAs(signer); err == nil {
		done()
		t.Error("a stranger's key was let in")
	}
	c, done, err := r.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	outside := filepath.Join(r.conf.DataDir, "secrets.json")
	for _, path := range []string{"/../secrets.json", "../../secrets.json", outside} {
		if f, err := c.Open(path); err == nil {
			f.Close()
			t.Errorf("%s was opened", path)
		}
	}
	if err := c.Symlink(outside, "/in/link"); err == nil {
		t.Error("a link was made")
	}
	if err := c.RemoveDirectory("/in"); err == nil {
		t.Error("a folder was removed")
	}
}

func TestTheServerRenamesAndSyncsAsOpenSSHDoes(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	c, done, err := r.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	write := func(path, body string, flags int) error {
		f, err := c.OpenFile(path, os.O_WRONLY|os.O_CREATE|flags)
		if err != nil {
			return err
		}
		if _, err := f.Write([]byte(body)); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			t.Errorf("sync %s: %v", path, err)
		}
		return f.Close()
	}
	for path, body := range map[string]string{"/out/a": "a", "/out/b": "b"} {
		if err := write(path, body, os.O_EXCL); err != nil {
			t.Fatal(err)
		}
	}
	if err := write("/out/a", "again", os.O_EXCL); err == nil {
		t.Error("O_EXCL opened a file that stands")
	}
	if err := c.Rename("/out/a", "/out/b"); err == nil {
		t.Error("a plain rename replaced a file")
	}
	for _, ext := range []string{"fsync@openssh.com", "posix-rename@openssh.com"} {
		if v, ok := c.HasExtension(ext); !ok || v != "1" {
			t.Errorf("%s is not offered", ext)
		}
	}
	if err := c.PosixRename("/out/a", "/out/b"); err != nil {
		t.Errorf("posix-rename: %v", err)
	}
	if b := r.file("out", "b"); b != "a" {
		t.Errorf("b holds %q after the posix-rename", b)
	}
	infos, err := c.ReadDir("/out")
	if err != nil || len(infos) != 1 || infos[0].Size() != 1 {
		t.Errorf("listing: %v %v", infos, err)
	}
}

func TestAFileWrittenWithoutARenameIsTakenToo(t *testing.T) {
	t.Parallel()
	r := start(t, time.Hour)
	path := filepath.Join(r.conf.DataDir, "bank", "in", "LATE.xml")
	body := instruction("03", "LATE", r.config.Bank.Operating.RIB, tr{"TU-1", "5.00", r.config.Bank.Safeguard.RIB})
	for name, text := range map[string]string{path: body, path + ".partial": body, filepath.Join(filepath.Dir(path), ".DOT.xml"): body} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.want("TU-1", "bank top_up 5.00")
	r.wait(func() (bool, string) {
		left := r.files("in", "")
		return len(left) == 2, fmt.Sprintf("in /in stand %q, want the partial and the dot file", left)
	})
}

func TestAnAccountThatIsBeingClosedSendsMoneyBack(t *testing.T) {
	t.Parallel()
	r := start(t, 30*time.Millisecond)
	r.fill("50.00")
	r.send("P.xml", instruction("09", "P", r.config.Bank.Safeguard.RIB, tr{"PO-1", "5.00", ribClosing}, tr{"PO-2", "6.00", ribA}))
	r.want("PO-1", "bank payout 5.00")
	r.advance("71h")
	r.want("PO-1", "bank payout 5.00")
	r.advance("2h")
	r.want("PO-1", "bank payout 5.00", "bank credit 5.00")
	r.want("PO-2", "bank payout 6.00")
}

// specs is the folder of the schemas, or a reason to skip.
func specs(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Skip("xmllint is not installed (Debian: libxml2-utils)")
	}
	dir := os.Getenv("TIWIZA_SPECS")
	if dir == "" {
		dir = "../../../../../shared/specs"
	}
	if _, err := os.Stat(filepath.Join(dir, "xsd", "camt.053.001.08.xsd")); err != nil {
		t.Skipf("no schemas: %v (TIWIZA_SPECS names their folder)", err)
	}
	return dir
}

func TestWhatTheBankWritesIsValid(t *testing.T) {
	t.Parallel()
	dir := specs(t)
	r := start(t, 200*time.Millisecond, world.Armed{Partner: "bank", Fault: "statement_net_of_fee", Times: 1})
	s := r.config.Bank.Safeguard.RIB
	r.pay("A", "100.00", good, "123456")
	r.entryOfCharge("A")
	r.pay("B", "100.00", good, "123456")
	r.entryOfCharge("B")
	r.fill("50.00")
	r.arm(world.Armed{Partner: "bank", Fault: "paid_then_returned", Times: 1})
	r.send("P.xml", instruction("09", "P", s, tr{"PO-1", "5.00", ribA}, tr{"PO-2", "1.00", ribClosed}))
	r.want("PO-1", "bank payout 5.00")
	r.advance("73h")
	r.want("PO-1", "bank payout 5.00", "bank credit 5.00")
	r.send("BAD.xml", "<Document>&")
	r.send("LONG.xml", strings.Replace(instruction("03", "LONG", s, tr{"PO-3", "1.00", ribA}), "pain.001.001.03", "pain.001.001."+strings.Repeat("9", 90), 1))
	r.ack("P", 1)
	r.ack("NOTPROVIDED", 1)
	r.ack("NOTPROVIDED", 2)
	r.wait(func() (bool, string) { return len(r.entries(s)) >= 5, "not all is stated" })
	for folder, schema := range map[string]string{"out": "camt.053.001.08.xsd", "ack": "pain.002.001.10.xsd"} {
		files := r.files(folder, "")
		if len(files) < 4 {
			t.Errorf("only %d files in /%s", len(files), folder)
		}
		args := append([]string{"--noout", "--schema", filepath.Join(dir, "xsd", schema)}, files...)
		if out, err := exec.Command("xmllint", args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", schema, err, out)
		}
	}
}

// entryOfCharge waits until a charge is on a statement.
func (r *rig) entryOfCharge(oid string) txDtls {
	r.t.Helper()
	var found txDtls
	r.wait(func() (bool, string) {
		for _, e := range r.entries(r.config.Bank.Safeguard.RIB) {
			for _, d := range e.TxDtls {
				if d.EndToEnd == oid {
					found = d
					return true, ""
				}
			}
		}
		return false, "charge " + oid + " is not stated"
	})
	return found
}

func TestStatementsAddUpOverManyMovementsAndARestart(t *testing.T) {
	t.Parallel()
	r := start(t, 50*time.Millisecond)
	s, o := r.config.Bank.Safeguard.RIB, r.config.Bank.Operating.RIB
	r.fill("500.00")
	for i := range 24 {
		if i == 12 {
			r.restart()
		}
		r.pay(fmt.Sprintf("C-%d", i), fmt.Sprintf("%d.%02d", i+1, i*3), good, "123456")
		debtor, to := s, ribA
		if i%3 == 1 {
			to = o
		} else if i%3 == 2 {
			debtor, to = o, s
		}
		r.send(fmt.Sprintf("F-%d.xml", i), instruction("03", fmt.Sprintf("F-%d", i), debtor, tr{fmt.Sprintf("T-%d", i), "3.01", to}))
	}
	seen := map[string]bool{}
	r.wait(func() (bool, string) {
		for _, rib := range []string{s, o} {
			for _, e := range r.entries(rib) {
				for _, d := range e.TxDtls {
					seen[d.EndToEnd] = true
				}
			}
		}
		return len(seen) == 49, fmt.Sprintf("%d references are stated, want 49", len(seen))
	})
	var out struct{ Executed []world.Executed }
	r.get("/truth", &out)
	count := map[string]int{}
	for _, e := range out.Executed {
		count[e.Partner+" "+e.Kind]++
	}
	want := map[string]int{
		"acquirer charge": 24, "acquirer capture": 24, "bank payout": 8, "bank sweep": 8, "bank top_up": 9,
		"acquirer settlement": count["bank credit"], "bank credit": count["acquirer settlement"],
	}
	if d := cmp.Diff(want, count); d != "" {
		t.Errorf("what was executed: %s", d)
	}
}
