package escrow

import (
	"fmt"
	"slices"
	"strings"
)

// Document is the machine for people to read, as Markdown: a picture of the
// states and a section for each move. docs/escrow.md is its output.
func Document() string {
	var b strings.Builder
	b.WriteString(`# The escrow

One escrow holds the money of one order of one seller. This page is written from the table in payments/escrow/machine.go, by which the
hub decides what is allowed: ` + "`make escrow`" + ` writes it anew, and a test fails when it is not what the table says.

Partial releases and refunds are amounts, not states. While a case (a dispute, a chargeback, a return) is open, timers stand still and
whatever is marked *calm* is refused with 409; what lost a race is told the state that won. Nothing is ever released because something
took too long to be known.

## The states

` + "```mermaid" + `
stateDiagram-v2
    [*] --> awaiting: open
`)
	for _, r := range Machine {
		for _, from := range r.From {
			for _, to := range r.To {
				if from != to && (len(r.To) == 1 || from == Funded || from == Awaiting) && !slices.Contains([]Move{MoveArrive, MoveRule, MoveLose}, r.Move) {
					fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, r.Move)
				}
			}
		}
	}
	fmt.Fprintf(&b, "    %s --> %s: all of it went back\n    %s --> [*]\n```\n\n", Funded, Refunded, Closed)
	b.WriteString("## Who may do what\n\n| move | " + strings.Join(words(actors), " | ") + " |\n|---|" + strings.Repeat("---|", len(actors)) + "\n")
	for _, r := range Machine {
		fmt.Fprintf(&b, "| %s |", r.Move)
		for _, a := range actors {
			cell := ""
			if slices.ContainsFunc(r.Ways, func(w Way) bool { return w.Who == a }) {
				cell = "×"
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## The moves\n")
	for _, r := range Machine {
		b.WriteString(r.section())
	}
	return b.String()
}

var actors = []Actor{Buyer, Seller, Courier, Agent, TwoAgents, Timer, Partner}

func (r Rule) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n", strings.ToUpper(string(r.Move[:1]))+string(r.Move[1:]))
	from := "nothing yet"
	if len(r.From) > 0 {
		from = either(r.From)
	}
	to := "the same"
	if len(r.To) > 0 {
		to = either(r.To)
		if slices.Contains(r.From, Funded) {
			to += ", once nothing is held or on its way"
		}
	}
	fmt.Fprintf(&b, "- from %s; to %s\n", from, to)
	ways := make([]string, len(r.Ways))
	for i, w := range r.Ways {
		ways[i] = string(w.Who) + " (" + w.By + ")"
	}
	fmt.Fprintf(&b, "- by %s\n", strings.Join(ways, ", "))
	if r.Calm {
		b.WriteString("- *calm*: refused while a case is open\n")
	}
	fmt.Fprintf(&b, "- %s\n", r.Guard)
	for i, e := range r.Refuses {
		if i == 0 {
			b.WriteString("- else refused with ")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "`%s`", e.Code)
	}
	if len(r.Refuses) > 0 {
		b.WriteString("\n")
	}
	for _, p := range r.Post {
		fmt.Fprintf(&b, "- books `%s`: `%s / %s`", p.Kind, p.Debit, p.Credit)
		if p.About != "" {
			fmt.Fprintf(&b, ", %s", p.About)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func words[T ~string](of []T) []string {
	out := make([]string, len(of))
	for i, w := range of {
		out[i] = string(w)
	}
	return out
}
