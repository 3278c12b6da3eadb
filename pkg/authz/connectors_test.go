package authz_test

import "tiwiza/pkg/auth"

func init() {
	for _, a := range []string{"register", "show", "rotate", "test", "certify", "resume", "pause"} {
		matrix["partners."+a] = map[auth.Role]string{auth.Operator: "*"}
	}
	matrix["callbacks.events"] = map[auth.Role]string{auth.Guest: "*"}
}
