package rest

// Parse is parse, for its fuzz test and benchmark.
var Parse = parse
