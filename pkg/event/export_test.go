package event

// Undelivered is what the sweep finds of one type for one subscriber.
var Undelivered = undelivered
