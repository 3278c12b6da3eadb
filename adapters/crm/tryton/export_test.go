package tryton

import (
	"context"
	"fmt"

	"tiwiza/pkg/outbound"
)

// Ask calls any method as the user.
func (d *Driver) Ask(ctx context.Context, method string, out any, args ...any) error {
	if r := d.call(ctx, method, out, args...); r.Outcome != outbound.Succeeded {
		return fmt.Errorf("%s %s: %s", r.Outcome, r.Code, r.Evidence)
	}
	return nil
}
