package policies

import "time"

// DueOf is when the next period of a policy is to be paid for.
func DueOf(p Policy) *time.Time { return p.due() }

// TurnOf is when something of a policy happens next by itself.
func TurnOf(p Policy, now time.Time) time.Time { return p.turn(now) }
