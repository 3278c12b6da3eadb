package authz_test

import "tiwiza/pkg/auth"

func init() {
	for _, a := range []string{"limits.show", "limits.put", "limits.decisions", "limits.clear"} {
		matrix[a] = map[auth.Role]string{auth.Operator: "*"}
	}
}
