package nestpay

import (
	"net/http"
	"strings"

	"tiwiza/adapters/card"
	"tiwiza/pkg/latin"
)

// dirham is the number of MAD in ISO 4217; money itself is written with it.
const dirham = "504"

// Form makes the signed form of a payment. Money is only reserved by it: the
// answer to the notice, or Capture, takes it.
func (d *Driver) Form(p card.Payment) (card.Form, error) {
	name := latin.Keep(p.Buyer.Name, "_-", 50)
	if name == "" {
		name = "Client" // the page refuses an empty name; the name buys nothing
	}
	f := map[string]string{
		"clientid": d.cfg.ClientID, "storetype": "3D_PAY_HOSTING", "trantype": "PreAuth",
		"amount": p.Amount.Amount(), "currency": dirham, "oid": p.Ref,
		"okUrl": p.OKURL, "failUrl": p.FailURL, "shopurl": p.ShopURL,
		"callbackUrl": p.CallbackURL, "CallbackResponse": "true",
		"lang": lang(p.Lang), "hashAlgorithm": "ver3", "rnd": p.Nonce, "encoding": "UTF-8", "refreshtime": "5",
		"BillToName": name, "email": p.Buyer.Email, "tel": strings.Replace(p.Buyer.Phone, "+", "00", 1),
	}
	f["HASH"] = hash(f, d.cfg.StoreKey, request)
	return card.Form{URL: d.cfg.GateURL, Method: http.MethodPost, Fields: f}, nil
}

// lang is the page's language; the platform has no Tamazight.
func lang(l string) string {
	if l == "zgh" {
		return "fr"
	}
	return l
}
