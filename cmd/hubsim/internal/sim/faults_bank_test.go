package sim_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"tiwiza/cmd/hubsim/internal/world"
)

// one is an instruction of one payout.
func (r *rig) one(id string) string {
	return instruction("03", "M-"+id, r.config.Bank.Safeguard.RIB, tr{id, "10.00", ribA})
}

var bankPlays = map[string]play{
	"drop_request": func(t *testing.T, r *rig) {
		if err := r.upload("P.xml", r.one("P")); err == nil {
			t.Error("the rename was answered")
		}
		for _, folder := range []string{"in", "archive"} {
			if got := r.files(folder, "P"); len(got) != 0 {
				t.Errorf("%q is still there", got)
			}
		}
		r.want("P")
		r.send("P.xml", r.one("P"))
		r.want("P", "bank payout 10.00")
	},
	"execute_then_drop": func(t *testing.T, r *rig) {
		if err := r.upload("P.xml", r.one("P")); err == nil {
			t.Error("the rename was answered")
		}
		r.paid(t, "P")
		if got := r.files("ack", "PAIN002_M-P"); len(got) != 0 {
			t.Errorf("answered by %q", got)
		}
		r.file("archive", "P.xml")
	},
	"execute_then_500": func(t *testing.T, r *rig) {
		if err := r.upload("P.xml", r.one("P")); err == nil || !strings.Contains(err.Error(), "failure") {
			t.Errorf("the rename was answered %v", err)
		}
		r.paid(t, "P")
		r.ack("M-P", 1)
	},
	"execute_then_garbage": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		if text := r.file("ack", "PAIN002_M-P"); strings.Contains(text, "</Document>") {
			t.Errorf("answered %s", text)
		}
		r.paid(t, "P")
	},
	"execute_late": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		r.file("archive", "P.xml")
		r.want("P")
		r.restart()
		r.advance("61s")
		r.paid(t, "P")
		r.ack("M-P", 1)
	},
	"answer_twice": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		if a, b := r.file("ack", "PAIN002_M-P_1"), r.file("ack", "PAIN002_M-P_2"); a != b {
			t.Error("the answers differ")
		}
		r.paid(t, "P")
	},
	"callback_before_answer": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		if got := r.files("ack", "PAIN002_M-P"); len(got) != 1 {
			t.Errorf("when the rename was answered, %d answers stood", len(got))
		}
		r.paid(t, "P")
	},
	"callbacks_shuffled": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		r.want("P", "bank payout 10.00")
		r.send("Q.xml", r.one("Q"))
		r.ack("M-Q", 1)
		if got := r.files("ack", "PAIN002_M-P"); len(got) != 0 {
			t.Error("the first file was answered first")
		}
		r.advance("11s")
		r.ack("M-P", 1)
	},
	"callback_missing": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		r.paid(t, "P")
		r.advance("24h")
		r.send("Q.xml", r.one("Q"))
		r.ack("M-Q", 1)
		if got := r.files("ack", "PAIN002_M-P"); len(got) != 0 {
			t.Errorf("answered by %q", got)
		}
	},
	"not_found_then_visible": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		r.want("P", "bank payout 10.00")
		r.send("Q.xml", r.one("Q"))
		r.paid(t, "Q")
		r.ack("M-Q", 1)
		for _, e := range r.entries(r.config.Bank.Safeguard.RIB) {
			if e.TxDtls[0].EndToEnd == "P" {
				t.Error("the hidden payout is stated")
			}
		}
		if got := r.files("ack", "PAIN002_M-P"); len(got) != 0 {
			t.Errorf("answered by %q", got)
		}
		r.advance("10m")
		r.paid(t, "P")
		r.ack("M-P", 1)
	},
	"key_expires": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		r.want("P", "bank payout 10.00")
		r.send("P2.xml", r.one("P"))
		if group, _ := r.ack("M-P", 2); group != "RJCT AM05" {
			t.Errorf("within a day: %s", group)
		}
		r.advance("25h")
		r.arm(world.Armed{Partner: "bank", Fault: "key_expires", Times: 2}) // the MsgId, then the EndToEndId
		r.send("P3.xml", r.one("P"))
		r.want("P", "bank payout 10.00", "bank payout 10.00")
	},
	"same_ref_other_amount": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		r.want("P", "bank payout 9.00")
		if e := r.entry(r.config.Bank.Safeguard.RIB, "P"); e.Amt != "9.00" {
			t.Errorf("stated as %s", e.Amt)
		}
	},
	"paid_then_returned": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		r.paid(t, "P")
		r.advance("73h")
		r.want("P", "bank payout 10.00", "bank credit 10.00")
		r.wait(func() (bool, string) {
			for _, e := range r.entries(r.config.Bank.Safeguard.RIB) {
				if d := e.TxDtls[0]; d.EndToEnd == "P" && d.Return == "AC04" && e.Dir == "CRDT" && e.Amt == "10.00" {
					return true, ""
				}
			}
			return false, "the return is not stated"
		})
	},
	"statement_missing": func(t *testing.T, r *rig) {
		held := "CAMT053_" + r.config.Bank.Safeguard.RIB
		r.file("out", "CAMT053_"+r.config.Bank.Operating.RIB)
		if got := r.files("out", held); len(got) != 0 {
			t.Errorf("the statement came with the other account's: %q", got)
		}
		r.advance("3s")
		r.file("out", held)
	},
	"statement_twice": func(t *testing.T, r *rig) {
		r.wait(func() (bool, string) {
			for _, bis := range r.glob("out", "*_bis.xml") {
				first, err1 := os.ReadFile(strings.Replace(bis, "_bis", "", 1))
				second, err2 := os.ReadFile(bis)
				if err1 == nil && err2 == nil && string(first) == string(second) {
					return true, ""
				}
			}
			return false, "no statement came twice"
		})
	},
	"statement_net_of_fee": func(t *testing.T, r *rig) {
		r.pay("A", "100.00", good, "123456")
		if d := r.entryOfCharge("A"); d.Amt != "98.20" || d.Gross != "" || d.Fee != "" {
			t.Errorf("the charge is told as %+v", d)
		}
	},
	"bad_signature": func(t *testing.T, r *rig) {
		if err := r.upload("P.xml", r.one("P")); err == nil || !strings.Contains(err.Error(), "host key") {
			t.Errorf("another host key was met with %v", err)
		}
		r.send("P.xml", r.one("P"))
		r.paid(t, "P")
	},
	"replayed_callback": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		first := r.file("ack", "PAIN002_M-P_1")
		if got := r.files("ack", "PAIN002_M-P_2"); len(got) != 0 {
			t.Error("the replay came at once")
		}
		r.advance("6s")
		if r.file("ack", "PAIN002_M-P_2") != first {
			t.Error("the replay differs")
		}
	},
	"rate_limited": func(t *testing.T, r *rig) {
		if err := r.upload("P.xml", r.one("P")); err == nil {
			t.Error("the connection was taken")
		}
		r.send("P.xml", r.one("P"))
		r.paid(t, "P")
	},
	"slow_body": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		r.paid(t, "P")
		c, done, err := r.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		name := r.files("out", "CAMT053_"+r.config.Bank.Safeguard.RIB)[0]
		f, err := c.Open("/out/" + name[strings.LastIndex(name, "/")+1:])
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		began := time.Now()
		if n, err := f.Read(make([]byte, 1500)); n != 1500 || time.Since(began) < 550*time.Millisecond {
			t.Errorf("read %d bytes in %s (%v)", n, time.Since(began), err)
		}
	},
	"contradicts_itself": func(t *testing.T, r *rig) {
		r.send("P.xml", r.one("P"))
		if group, rows := r.ack("M-P", 1); group != "RJCT" || rows[0] != "P RJCT AC01" {
			t.Errorf("answered %s %q", group, rows)
		}
		r.paid(t, "P")
	},
}

// paid wants a payout to be executed and stated, once.
func (r *rig) paid(t *testing.T, ref string) {
	t.Helper()
	r.want(ref, "bank payout 10.00")
	if e := r.entry(r.config.Bank.Safeguard.RIB, ref); e.Amt != "10.00" || e.Dir != "DBIT" {
		t.Errorf("%s is stated as %s %s", ref, e.Dir, e.Amt)
	}
}
