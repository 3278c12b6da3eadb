package procedures

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
)

//go:embed shipped/*.json
var files embed.FS

// Shipped are the procedures that come with the hub, as data: registration,
// affiliation to social cover, award of a label, accreditation of providers. An
// institution publishes its own, of these or others.
func Shipped() (all map[string]Definition, err error) {
	names, err := fs.Glob(files, "shipped/*.json")
	if err != nil {
		return nil, err
	}
	all = make(map[string]Definition, len(names))
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var d Definition
		if err := json.Unmarshal(b, &d); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := d.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[d.Code] = d
	}
	return all, nil
}
