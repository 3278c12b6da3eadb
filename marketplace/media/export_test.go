package media

// Hear is hear, for its fuzzer.
var Hear = hear
