package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tiwiza/marketplace/digital"
	"tiwiza/pkg/vault"
)

// sealing is the setting of how codes that are sold, and numbers by which people
// are found, are sealed.
type sealing struct {
	CodesKey string `help:"32 bytes in hexadecimal under which codes that are sold and members' sensitive numbers are sealed, the same for all hubs on one database; without it none are taken. A demonstration keeps one in its data directory." env:"HUB_CODES_KEY"`
}

// open makes the vaults, of codes and of papers: of the setting, in a demonstration
// else of a key that is made once and kept beside its data.
func (s sealing) open(dataDir string, demo bool) (*digital.Vault, *vault.Vault, error) {
	text := s.CodesKey
	if text == "" {
		if !demo {
			return nil, nil, nil
		}
		var err error
		if text, err = ownKey(filepath.Join(dataDir, "codes.key")); err != nil {
			return nil, nil, err
		}
	}
	key, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != digital.KeySize {
		return nil, nil, errors.New("HUB_CODES_KEY is not 32 bytes in hexadecimal: make one with openssl rand -hex 32")
	}
	codes, err := digital.NewVault(key)
	if err != nil {
		return nil, nil, err
	}
	papers, err := vault.New(key, "papers")
	return codes, papers, err
}

// ownKey reads the key of a file, which the first hub makes: whole, or not at all.
func ownKey(path string) (string, error) {
	b, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return string(b), err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".codes-*")
	if err != nil {
		return "", fmt.Errorf("make a key for codes: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(digital.NewKey()))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("make a key for codes: %w", err)
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) { // another hub may be first
		return "", fmt.Errorf("make a key for codes: %w", err)
	}
	b, err = os.ReadFile(path)
	return string(b), err
}
