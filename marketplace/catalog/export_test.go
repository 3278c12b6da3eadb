package catalog

import "maps"

// Parse reads a file whose columns are known by name into the numbers and cells of
// its rows, and the numbers and reasons of those that cannot be read.
func Parse(file []byte) (rows []int, cells []map[string]string, bad map[int]string, err error) {
	t, err := table(file)
	if err != nil {
		return nil, nil, nil, err
	}
	all, err := mapping(t.Head, nil, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	f := lay(t, all, nil)
	bad = map[int]string{}
	for _, o := range f.bad {
		bad[o.Row] = o.Details[0].Detail
	}
	for _, b := range f.batches {
		for _, l := range b {
			m := map[string]string{}
			for column := range maps.Keys(l.at) {
				if c, said := l.cell(column); said {
					m[column] = c
				}
			}
			rows, cells = append(rows, l.row), append(cells, m)
		}
	}
	return rows, cells, bad, nil
}

// Prose and Marked are what files and exports make of texts.
var Prose, Marked = prose, marked

// Clean says whether a text of an offer may be kept.
var Clean = clean
