package gsma

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/strict"
)

// MaxNotice bounds the body of a callback.
const MaxNotice = 64 << 10

// Notice reads a callback: the transaction when it was made, the error object
// when it was not, or a request state. The API signs none of them: the sum that
// may come with one shows that it arrived whole, and no more.
func (d *Driver) Notice(c wallet.Callback) (wallet.Notice, error) {
	var n wallet.Notice
	if len(c.Body) > MaxNotice {
		return n, wallet.ErrUnreadable.With(fmt.Errorf("%d bytes are too many", len(c.Body)))
	}
	sum := sha256.Sum256(c.Body)
	if c.Hash != "" && subtle.ConstantTimeCompare([]byte(strings.ToLower(c.Hash)), []byte(hex.EncodeToString(sum[:]))) != 1 {
		return n, wallet.ErrUnreadable.With(errors.New("the sum is another body's"))
	}
	var said struct {
		transaction
		problem
		State string   `json:"status"`
		Error *problem `json:"error"`
	}
	if err := strict.Object(c.Body, &said); err != nil {
		return n, wallet.ErrUnreadable.With(err)
	}
	n = wallet.Notice{Ref: said.Reference, EventID: hex.EncodeToString(sum[:]), Raw: slices.Clone(c.Body), State: wallet.Pending}
	kinds := 0
	for _, is := range []bool{said.transaction.Status != "", said.problem.Code != "", said.State != ""} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return wallet.Notice{}, wallet.ErrUnreadable.With(errors.New("it is not one of a transaction, an error and a request's state"))
	}
	p := said.problem
	if said.Error != nil {
		p = *said.Error
	}
	n.Code, n.Text = cut(p.Code, 64), p.text()
	switch {
	case p.Code != "" || said.State == "failed":
		n.State = wallet.Failed
	case said.transaction.Status == "completed" || said.State == "completed":
		n.State = wallet.Completed
	}
	return n, nil
}
