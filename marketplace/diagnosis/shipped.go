package diagnosis

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
)

//go:embed shipped/*.json
var files embed.FS

// Shipped are the questionnaires that come with the hub, as data.
func Shipped() (all []Questionnaire, err error) {
	names, err := fs.Glob(files, "shipped/*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var q Questionnaire
		if err := json.Unmarshal(b, &q); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := q.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, q)
	}
	return all, nil
}
