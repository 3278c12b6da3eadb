package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tiwiza/pkg/money"
)

// A line is something that was counted, in centimes.
type line struct {
	what string
	n    int
	sum  int64
	note string
}

// A report is what came of the days. What is wrong is the reason to end with 1.
type report struct {
	seed     uint64
	states   []string
	counts   map[string]map[string]int // state and way
	worth    map[string]int64          // state
	fates    map[string][]line         // way
	events   []line
	in       []line
	out      []line
	now      []line
	accounts []line
	breaks   []line
	checks   []string
	wrong    []string
}

func (r *report) bad(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

func centimes(amount string) (int64, error) {
	m, err := money.Parse(amount, money.MAD)
	return m.Centimes(), err
}

// grouped writes centimes as dirhams, thousands apart.
func grouped(c int64) string {
	s := money.Dirhams(max(c, -c)).Amount()
	whole, rest, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + " " + whole[i:]
	}
	if c < 0 {
		whole = "-" + whole
	}
	return whole + "." + rest
}

// wayNames are the ways to pay as people say them.
var wayNames = map[string]string{byCard: "by card", byWire: "by transfer", onDelivery: "in cash"}

func (r *report) print(w io.Writer, took time.Duration) {
	title := func(s string) { fmt.Fprintf(w, "\n%s\n", s) }
	title("ORDERS, BY THEIR LAST STATE")
	fmt.Fprintf(w, "  %-22s %8s %12s %9s %7s %16s\n", "", "by card", "by transfer", "in cash", "all", "worth, MAD")
	all, sum := map[string]int{}, int64(0)
	for _, s := range r.states {
		n := 0
		for _, way := range payWays {
			n += r.counts[s][way]
			all[way] += r.counts[s][way]
		}
		sum += r.worth[s]
		fmt.Fprintf(w, "  %-22s %8s %12s %9s %7d %16s\n", s, dash(r.counts[s][byCard]), dash(r.counts[s][byWire]), dash(r.counts[s][onDelivery]), n, grouped(r.worth[s]))
	}
	fmt.Fprintf(w, "  %-22s %8d %12d %9d %7d %16s\n", "all", all[byCard], all[byWire], all[onDelivery], all[byCard]+all[byWire]+all[onDelivery], grouped(sum))

	title("WHAT HAPPENED TO THEM")
	for _, way := range payWays {
		for i, l := range r.fates[way] {
			label := ""
			if i == 0 {
				label = wayNames[way]
			}
			fmt.Fprintf(w, "  %-14s %5d  %s\n", label, l.n, l.what)
		}
	}
	lines(w, "COUNTED", r.events, false)
	lines(w, "MONEY THAT CAME IN", r.in, true)
	lines(w, "MONEY THAT WENT OUT AGAIN", r.out, true)
	lines(w, "WHERE THE REST IS NOW", r.now, true)
	lines(w, "EVERY ACCOUNT OF THE BOOKS WITH A BALANCE (debits above zero), AND WHAT IT STANDS FOR", r.accounts, true)
	lines(w, "BREAKS THAT RECONCILIATION LEAVES TO PEOPLE", r.breaks, false)
	title("PROOFS")
	for _, c := range r.checks {
		fmt.Fprintf(w, "  %s\n", c)
	}
	if len(r.wrong) > 0 {
		title("WRONG")
		for _, s := range r.wrong {
			fmt.Fprintf(w, "  %s\n", s)
		}
	}
	verdict := "every centime is accounted for"
	if len(r.wrong) > 0 {
		verdict = fmt.Sprintf("%d things are not as they should be", len(r.wrong))
	}
	fmt.Fprintf(w, "\nseed %d, %.0f s: %s\n", r.seed, took.Seconds(), verdict)
}

func dash(n int) string {
	if n == 0 {
		return "·"
	}
	return strconv.Itoa(n)
}

// lines prints a table, and its total if that means something.
func lines(w io.Writer, title string, all []line, total bool) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	wide, sum := 52, int64(0)
	for _, l := range all {
		wide = max(wide, utf8.RuneCountInString(l.what))
	}
	for _, l := range all {
		if sum += l.sum; l.n == 0 && l.sum == 0 {
			continue
		}
		n := strconv.Itoa(l.n)
		amount := grouped(l.sum)
		if l.sum == 0 && !total {
			amount = ""
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %-*s %6s %16s   %s", wide, l.what, n, amount, l.note), " "))
	}
	if total {
		fmt.Fprintf(w, "  %-*s %6s %16s\n", wide, "", "", grouped(sum))
	}
}

// asksHledger has hledger read the exported books, where there is one.
func (d *day) asksHledger(ctx context.Context, r *report, e ends) error {
	bin, err := exec.LookPath("hledger")
	if err != nil {
		r.checks = append(r.checks, "hledger is not on this machine (Debian: apt-get install hledger); the books are in "+d.Journal)
		return nil
	}
	ask := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, bin, append([]string{"-f", d.Journal}, args...)...)
		cmd.Env = append(os.Environ(), "LANG=C.UTF-8")
		out, err := cmd.CombinedOutput()
		if err != nil {
			r.bad("hledger %s: %v: %.300s", args[0], err, out)
		}
		return out, err
	}
	if _, err := ask("check", "--strict"); err != nil {
		return nil
	}
	out, err := ask("balance", "--flat", "--no-total", "-O", "csv", "--layout=tidy")
	if err != nil {
		return nil
	}
	rows, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil {
		return fmt.Errorf("read what hledger says: %w", err)
	}
	theirs := map[string]int64{}
	for _, f := range rows[min(1, len(rows)):] {
		value := f[len(f)-1]
		if value == "0" {
			value = "0.00"
		}
		c, err := centimes(value)
		if err != nil {
			return fmt.Errorf("read what hledger says of %s: %w", f[0], err)
		}
		if c != 0 {
			theirs[f[0]] = c
		}
	}
	for _, a := range e.trial {
		if theirs[a.code] != a.sum {
			r.bad("hledger has %s in %s, the trial balance %s", grouped(theirs[a.code]), a.code, grouped(a.sum))
		}
		delete(theirs, a.code)
	}
	for code, c := range theirs {
		r.bad("hledger has %s in %s, which the trial balance does not have", grouped(c), code)
	}
	r.checks = append(r.checks, fmt.Sprintf("hledger: check --strict is content with %s, its balances are those of the trial balance (%d accounts)", d.Journal, len(e.trial)))
	return nil
}
