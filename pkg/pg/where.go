package pg

import "strconv"

// A Where is what a list is narrowed to. It holds only what is asked for, so that
// each search has the plan of its own index: with plans that are kept, «$1 = ”
// or …» would read everything.
type Where struct {
	text string
	args []any
}

// And narrows to rows that meet a condition, «column =», with v, if it was given.
func (w *Where) And(given bool, condition string, v any) {
	if given {
		w.text += " and " + condition + " " + w.Arg(v)
	}
}

// Arg is the place of one more argument.
func (w *Where) Arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

// String is the condition; true when nothing was asked for.
func (w *Where) String() string { return "true" + w.text }

// Args are the arguments in their order.
func (w *Where) Args() []any { return w.args }
