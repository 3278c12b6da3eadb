package catalog

// Parse reads a file into the numbers and cells of its rows, and its verdicts.
func Parse(file []byte) (rows []int, cells []map[string]string, bad []Verdict, err error) {
	lines, bad, err := parse(file)
	for _, l := range lines {
		rows, cells = append(rows, l.row), append(cells, l.cells)
	}
	return rows, cells, bad, err
}
