package payouts

// Tomorrow is when the next day of limits begins.
var Tomorrow = tomorrow
