package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// listed is what the rules need of go list -json.
type listed struct {
	Dir                                                string
	GoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles []string
}

// Load reads the module whose top is root: the packages go list finds there,
// and the migrations.
func Load(root string) (House, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return House{}, err
	}
	cmd := exec.Command("go", "list", "-e", "-json=Dir,GoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return House{}, fmt.Errorf("list the packages: %w: %s", err, stderr.String())
	}
	files, err := filepath.Glob(filepath.Join(root, "migrations", "*.sql"))
	if err != nil {
		return House{}, err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return House{}, fmt.Errorf("read the list of packages: %w", err)
		}
		for _, name := range slices.Concat(p.GoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles) {
			files = append(files, filepath.Join(p.Dir, name))
		}
	}
	sources := make(map[string]string, len(files))
	for _, f := range files {
		name, err := filepath.Rel(root, f)
		if err != nil {
			return House{}, err
		}
		src, err := os.ReadFile(f)
		if err != nil {
			return House{}, err
		}
		sources[filepath.ToSlash(name)] = string(src)
	}
	return New(sources)
}
