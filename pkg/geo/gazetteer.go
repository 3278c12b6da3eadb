package geo

import (
	"bytes"
	_ "embed" // the two tables
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed places.csv
var placesCSV []byte

//go:embed regions.csv
var regionsCSV []byte

// tables is what the embedded files say, and the index Find looks in.
type tables struct {
	places  []Place
	regions []Region
	byName  map[string][]int // by folded name; own names before aliases, then in file order
}

// gazetteer reads the files once. They are part of the program, so a fault in
// them is a fault of the build: it panics.
var gazetteer = sync.OnceValue(func() *tables {
	t := &tables{byName: map[string][]int{}}
	for _, row := range rows(regionsCSV, 4) {
		t.regions = append(t.regions, Region{Code: row[0], Names: names("fr", row[1], "ar", row[2], "zgh", row[3])})
	}
	list := rows(placesCSV, 7)
	for _, row := range list {
		t.places = append(t.places, Place{
			Name: row[0], Names: names("fr", row[1], "ar", row[2]),
			Region: row[3], Lat: degrees(row[4]), Lng: degrees(row[5]),
		})
	}
	for i, row := range list {
		t.index(i, row[:3])
	}
	for i, row := range list {
		t.index(i, strings.Split(row[6], ";"))
	}
	return t
})

// index lets place i be found by the names.
func (t *tables) index(i int, names []string) {
next:
	for _, name := range names {
		key := fold(name)
		if key == "" {
			continue
		}
		for _, known := range t.byName[key] {
			if known == i {
				continue next
			}
		}
		t.byName[key] = append(t.byName[key], i)
	}
}

// rows reads a table of the given width and leaves out its heading.
func rows(file []byte, width int) [][]string {
	r := csv.NewReader(bytes.NewReader(file))
	r.FieldsPerRecord = width
	all, err := r.ReadAll()
	if err != nil {
		panic(fmt.Sprintf("geo: read embedded table: %v", err))
	}
	return all[1:]
}

// names makes a map of language and text pairs, without the empty texts.
func names(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}

func degrees(s string) float64 {
	d, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(fmt.Sprintf("geo: read embedded table: %v", err))
	}
	return d
}
