// Package demo carries the demonstration market: invented cooperatives, marked
// as examples, their offers in the importer's own format, and drawings of them.
package demo

import "embed"

// Files holds categories.csv, cooperatives.csv, offers.csv and images/*.svg.
//
//go:embed categories.csv cooperatives.csv offers.csv images/*.svg
var Files embed.FS
