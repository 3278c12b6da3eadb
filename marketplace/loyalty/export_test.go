package loyalty

// Exported for tests of pure functions.
var (
	Worth    = worth
	Due      = due
	TierOf   = tierOf
	NextTier = nextTier
	Youngest = youngest
)
