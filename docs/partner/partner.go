// Package partner holds the partner protocol: its documents, and the cases by
// which hub certify proves a connector.
package partner

import _ "embed"

// BankCases are the cases of bank.v1.
//
//go:embed cases/bank.v1.yaml
var BankCases []byte

// InsuranceCases are the cases of insurance.v1.
//
//go:embed cases/insurance.v1.yaml
var InsuranceCases []byte

// WalletCases are the cases of wallet.v1.
//
//go:embed cases/wallet.v1.yaml
var WalletCases []byte

// CardCases are the cases of card.v1.
//
//go:embed cases/card.v1.yaml
var CardCases []byte

// CRMCases are the cases of crm.v1.
//
//go:embed cases/crm.v1.yaml
var CRMCases []byte

// NotifyCases are the cases of notify.v1.
//
//go:embed cases/notify.v1.yaml
var NotifyCases []byte

// Cases are the cases of each protocol that hub certify plays.
var Cases = map[string][]byte{
	"bank.v1": BankCases, "insurance.v1": InsuranceCases, "wallet.v1": WalletCases, "card.v1": CardCases, "crm.v1": CRMCases, "notify.v1": NotifyCases,
}
