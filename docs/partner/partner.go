// Package partner holds the partner protocol: its documents, and the cases by
// which hub certify proves a connector.
package partner

import _ "embed"

// BankCases are the cases of bank.v1.
//
//go:embed cases/bank.v1.yaml
var BankCases []byte
