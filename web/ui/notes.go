package ui

import "tiwiza/pkg/money"

// A Note is a bank note or a coin.
type Note struct {
	Value string
	Class string // how it is drawn
}

// kinds of notes and coins of the dirham, in centimes, as they circulate.
var kinds = []struct {
	centimes int64
	note     Note
}{
	{200_00, Note{"200", "note n200"}},
	{100_00, Note{"100", "note n100"}},
	{50_00, Note{"50", "note n50"}},
	{20_00, Note{"20", "note n20"}},
	{10_00, Note{"10", "note coin c10"}},
	{5_00, Note{"5", "note coin c5"}},
	{2_00, Note{"2", "note coin c2"}},
	{1_00, Note{"1", "note coin c1"}},
	{50, Note{"½", "note coin c0"}},
	{20, Note{"20 c", "note coin c0"}},
	{10, Note{"10 c", "note coin c0"}},
	{5, Note{"5 c", "note coin c0"}},
	{1, Note{"1 c", "note coin c0"}},
}

// mostNotes is how many notes are drawn; a larger sum is not counted by eye.
const mostNotes = 15

// Notes are the notes and coins of a sum, as few as can be; none when they are
// too many to see.
func Notes(m money.Money) []Note {
	left := m.Centimes()
	var out []Note
	for _, k := range kinds {
		for left >= k.centimes {
			if len(out) == mostNotes {
				return nil
			}
			out, left = append(out, k.note), left-k.centimes
		}
	}
	return out
}
