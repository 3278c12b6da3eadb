package clock

import (
	"time"
	_ "time/tzdata" // machines without a zone database
)

// Morocco is where days begin and end, and books are closed.
var Morocco = func() *time.Location {
	l, err := time.LoadLocation("Africa/Casablanca")
	if err != nil {
		panic(err) // it is linked in
	}
	return l
}()
