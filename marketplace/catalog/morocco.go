package catalog

import (
	"time"
	_ "time/tzdata" // machines without a zone database
)

// morocco is where days begin and end.
var morocco = func() *time.Location {
	l, err := time.LoadLocation("Africa/Casablanca")
	if err != nil {
		panic(err) // it is linked in
	}
	return l
}()
