package pg

import "time"

// SetPatience says how long to wait for a commit's answer.
func SetPatience(s *Store, d time.Duration) { s.patience = d }
