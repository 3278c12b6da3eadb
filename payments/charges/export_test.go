package charges

// What the tests of pure functions need.
var (
	NewReference = newReference
	Spread       = spread
	Announce     = announce
	AwaitedBy    = awaited
	UnsettledOf  = unsettled
)

// Cover is what money for a list does to one order.
type Cover = cover

// Money is what of a cover came to the bank.
func (c cover) Money() int64 { return c.money() }
