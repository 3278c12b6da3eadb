package nestpay_test

import (
	"testing"

	"tiwiza/adapters/card/nestpay"
)

// The first three are public (mewebstudio/pos, MIT); the others follow from
// the published algorithm.
var vectors = []struct {
	name, key string
	notice    bool
	fields    map[string]string
	want      string
}{
	{
		name: "mews-3d_pay", key: "123456", notice: false,
		fields: map[string]string{
			"clientid":      "190100000",
			"storetype":     "3d_pay",
			"amount":        "100.25",
			"oid":           "order222",
			"okUrl":         "https://domain.com/success",
			"failUrl":       "https://domain.com/fail_url",
			"rnd":           "rand",
			"lang":          "tr",
			"currency":      "949",
			"taksit":        "",
			"islemtipi":     "Auth",
			"firmaadi":      "siparis veren",
			"Email":         "test@test.com",
			"hashAlgorithm": "ver3",
		},
		want: "/uPxhEKWCEGi3NsDOOQ4u8Hu5g71v5GWspOid70WehTWEz97PqxG3IN1Jv5jsbOXOw3Z3Rr/0UtywzEgbqFfdA==",
	},
	{
		name: "mews-3d", key: "123456", notice: false,
		fields: map[string]string{
			"clientid":      "190100000",
			"storetype":     "3d",
			"amount":        "100.25",
			"oid":           "order222",
			"okUrl":         "https://domain.com/success",
			"failUrl":       "https://domain.com/fail_url",
			"rnd":           "12345",
			"hashAlgorithm": "ver3",
			"lang":          "tr",
			"currency":      "949",
			"islemtipi":     "Auth",
			"taksit":        "",
		},
		want: "4aUsG5hqlIFLc9s8PKc5rWb2OLhmxDDewNgKa2XrwoYCIxlyVq8Fjl4IVaZzoqL983CfTseicmnTA0PjZr74xg==",
	},
	{
		name: "mews-callback", key: "123456", notice: false,
		fields: map[string]string{
			"ReturnOid":                       "202210308C0F",
			"TRANID":                          "",
			"hashAlgorithm":                   "ver3",
			"PAResSyntaxOK":                   "true",
			"firmaadi":                        "John Doe",
			"islemtipi":                       "Auth",
			"lang":                            "tr",
			"merchantID":                      "190200000",
			"maskedCreditCard":                "4355 08** **** 4358",
			"amount":                          "1.01",
			"sID":                             "1",
			"ACQBIN":                          "454672",
			"Ecom_Payment_Card_ExpDate_Year":  "26",
			"EXTRA_CARDBRAND":                 "VISA",
			"Email":                           "mail@customer.com",
			"MaskedPan":                       "435508***4358",
			"acqStan":                         "184784",
			"merchantName":                    "Ziraat 3D_Pay",
			"clientIp":                        "89.244.149.137",
			"EXTRA_KAZANILANPUAN":             "000000010.00",
			"okUrl":                           "http://localhost/akbank/3d-pay/response.php",
			"md":                              "435508:51104213993AC8DFE8839C7F7E391B461115D09A1D88948C8ACE421D7D7EAA5A:3545:##190200000",
			"ProcReturnCode":                  "00",
			"payResults_dsId":                 "1",
			"taksit":                          "",
			"TransId":                         "22303RqiC11252",
			"EXTRA_TRXDATE":                   "20221030 17:42:33",
			"Ecom_Payment_Card_ExpDate_Month": "12",
			"storetype":                       "3d_pay",
			"Response":                        "Approved",
			"SettleId":                        "2383",
			"mdErrorMsg":                      "Y-status/Challenge authentication via ACS: https://3ds-acs.test.modirum.com/mdpayacs/creq?token=214711321.1667140951.Ud_jQl3B2l1",
			"ErrMsg":                          "",
			"PAResVerified":                   "true",
			"cavv":                            "ABABBCgghAAAAABllJMDdZdTdic=",
			"digest":                          "digest",
			"HostRefNum":                      "230317184784",
			"callbackCall":                    "true",
			"AuthCode":                        "216981",
			"failUrl":                         "http://localhost/akbank/3d-pay/response.php",
			"xid":                             "N1An1iS5iN4u/1VWS6CgzSGRtN0=",
			"encoding":                        "ISO-8859-9",
			"currency":                        "949",
			"oid":                             "202210308C0F",
			"mdStatus":                        "1",
			"dsId":                            "1",
			"eci":                             "05",
			"version":                         "2.0",
			"EXTRA_CARDISSUER":                "AKBANK T.A.S.",
			"clientid":                        "190200000",
			"txstatus":                        "Y",
			"rnd":                             "J/jGATA5LLVaMfpU+Yyu",
		},
		want: "jVgcwtx4vxxAcX8+ajsrrzp77k9uaGu1pjDQfCpoUG95y2MwwGipc6cF3kESiTphjV8/1ESSc6zg9KyTSxUnzA==",
	},
	{
		name: "cmi-request", key: "TEST1234", notice: false,
		fields: map[string]string{
			"storetype":        "3D_PAY_HOSTING",
			"trantype":         "PreAuth",
			"currency":         "504",
			"rnd":              "0.28426300 1700000000",
			"lang":             "fr",
			"hashAlgorithm":    "ver3",
			"encoding":         "UTF-8",
			"refreshtime":      "5",
			"clientid":         "600002599",
			"oid":              "136ABC",
			"shopurl":          "https://hub.example.ma",
			"okUrl":            "https://hub.example.ma/okFail.php",
			"failUrl":          "https://hub.example.ma/okFail.php",
			"email":            "acheteuse@example.ma",
			"BillToName":       "Fatima Zahra",
			"BillToCompany":    "Coop | Argan \\ Souss",
			"BillToStreet12":   "100 rue adress",
			"BillToCity":       "casablanca",
			"BillToStateProv":  "Maarif Casablanca",
			"BillToPostalCode": "20230",
			"BillToCountry":    "504",
			"tel":              "0021201020304",
			"amount":           "10.60",
			"CallbackURL":      "https://hub.example.ma/callback.php",
		},
		want: "IJB25Y8NXJRPkiRlWLCau9hgtrXaKm6QJ2jkAcd4CtcaqmQpLy6A0+6i11NBeYLfvluoXQeZkbh0ZrXZVhYOyQ==",
	},
	{
		name: "natural-sort", key: "K|\\", notice: false,
		fields: map[string]string{
			"a10":      "x",
			"a2":       "y",
			"B1":       "z",
			"encoding": "UTF-8",
			"HASH":     "q",
		},
		want: "+oVbiyNK+xAhJGTXXwwRBqI9fdwFELCyYaL4sO46/CxtiYZ3BTRTOPsDy73yf18WuarBX4K1imlR+/5+g4g8pg==",
	},
	{
		name: "cmi-callback-entities-newline-escape", key: "TEST1234", notice: true,
		fields: map[string]string{
			"oid":             "ORD-1001",
			"ReturnOid":       "ORD-1001",
			"amount":          "123.50",
			"currency":        "504",
			"clientid":        "600002599",
			"ProcReturnCode":  "00",
			"Response":        "Approved",
			"TransId":         "26325KabC1234",
			"AuthCode":        "123456",
			"HostRefNum":      "632512345678",
			"MaskedPan":       "400000***0010",
			"EXTRA_CARDBRAND": "VISA",
			"EXTRA_TRXDATE":   "20261121 10:00:00",
			"mdStatus":        "1",
			"trantype":        "PreAuth",
			"storetype":       "3D_PAY_HOSTING",
			"hashAlgorithm":   "ver3",
			"BillToName":      "L&#39;Argane &amp; Fils\n",
			"rnd":             "abc|def\\ghi",
			"ErrMsg":          "",
			"encoding":        "UTF-8",
		},
		want: "NGBgRSFBcLmhNemWIBcZOaGDNRtO+W72vy2zhsZCHgoZOxPTz11+Ca6qsoei2K76TTmkhwTZ4PxOGtOder5gQg==",
	},
	{
		name: "cmi-request-document-rule", key: "TEST1234", notice: false,
		fields: map[string]string{
			"oid":           "ORD-1002",
			"amount":        "10.00",
			"clientid":      "600002599",
			"currency":      "504",
			"BillToCompany": " my documents x ",
			"hashAlgorithm": "ver3",
			"rnd":           "1",
		},
		want: "gcaKHpgQNsOUYrsO8ZNLjwGbwpJQ2bxf0M1qEpDDUv+riEk7wYZ7Cltn1GQceQ7EHr3ObGROCZg7ouxpAotmdw==",
	},
}

func TestHashMatchesTheVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		if got := nestpay.Hash(v.fields, v.key, v.notice); got != v.want {
			t.Errorf("%s: hash = %s, want %s", v.name, got, v.want)
		}
	}
}

func TestNamesSortAsPeopleCount(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"a2", "a10"},
		{"a9", "B1"},
		{"A1", "a2"},
		{"x", "x1"},
		{"a02", "a3"},
		{"a1b2", "a1b10"},
		{"amount", "AuthCode"},
		{"acqStan", "amount"},
		{"ProcReturnCode", "Response"},
		{"1", "a"},
		{"mdStatus", "oid"},
	} {
		if nestpay.Natural(c[0], c[1]) >= 0 || nestpay.Natural(c[1], c[0]) <= 0 {
			t.Errorf("%s does not sort before %s", c[0], c[1])
		}
	}
}
