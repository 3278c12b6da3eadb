package policies

import "time"

// DueOf is when the next period of a policy is to be paid for.
func DueOf(p Policy) *time.Time { return p.due() }
