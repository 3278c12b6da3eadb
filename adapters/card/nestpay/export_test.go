package nestpay

// Hash lets the vectors reach the hash of a form and of a notice.
func Hash(fields map[string]string, storeKey string, notice bool) string {
	if notice {
		return hash(fields, storeKey, callback)
	}
	return hash(fields, storeKey, request)
}

// Natural lets the order of names be tested.
var Natural = natural

// Usual are the names a notice may carry.
var Usual = usual

// Understand reads an answer.
func Understand(body []byte) (map[string]string, error) { return understand(body) }
