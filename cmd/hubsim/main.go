// Command hubsim plays the partners of a hub for demonstrations, tests and
// certification: two card acquirers (NestPay ver3) and a provider of mobile wallets
// (GSMA Mobile Money API 1.1) over HTTP, a bank (pain.001, pain.002, camt.053)
// over SFTP, and those who bring messages: an SMS gateway, WhatsApp's Cloud API
// and a mail server; a CRM (HubSpot's API v3), and an insurer (insurance.v1). Each keeps its own truth,
// on the disk before it answers, shares no code with the hub, and misbehaves when told to.
//
//	HUBSIM_ADDR       127.0.0.1:8090  the HTTP side
//	HUBSIM_SFTP_ADDR  127.0.0.1:0     the bank's SFTP; any free port, kept over restarts
//	HUBSIM_MAIL_ADDR  127.0.0.1:0     the mail server's SMTP; any free port
//	HUBSIM_BANK       files           how the shop's bank is reached: files over SFTP, or berlin: NextGenPSD2
//	                                  1.3.12 under /berlin/v1, and no statements as files
//	HUBSIM_EVENTS_TO                  where the bank's connector sends its events, if anywhere
//	HUBSIM_CARD_EVENTS_TO             where the acquirer's connector sends its events, until POST /acquirer/events
//	HUBSIM_DATA_DIR   ./var/sim       journal.jsonl, secrets.json, bank/{in,out,ack,archive}
//	--settle-every    2s              the acquirer pays what it captured, less 1.8 % a charge, and takes refunds off
//	--statement-every 2s              the bank states each account that has something new
//
// Controls:
//
//	GET  /                   a page for people: what was executed, and the fault that a partner plays next
//	GET  /livez              {"name":"hubsim"}
//	GET  /config             what a client needs: addresses, keys, accounts
//	GET  /truth?ref=         what the partners executed under a reference; without one everything
//	GET  /faults             what is armed, and all names
//	POST /faults             {"partner":"bank","fault":"execute_late","times":2}; 0 disarms
//	GET  /.well-known/hub-connector  the bank also speaks bank.v1 of the partner protocol under /bank/v1, for a
//	                         second client with accounts of its own (bank.connector in /config); hub certify passes
//	GET  /wallet/.well-known/hub-connector  the provider of wallets also speaks wallet.v1 under /wallet/wallet/v1, behind the
//	                         same phones (wallet.connector_url and connector_token in /config); hub certify passes. The
//	                         number of sandboxes, +212600000000, has no owner: what it pays is not settled
//	GET  /acquirer/.well-known/hub-connector  each acquirer also speaks card.v1 under /acquirer/card/v1 (/acquirer2/card/v1), on
//	                         the same pages and in the same settlement (connector_url and connector_token of the acquirer
//	                         in /config). What sandbox/buyers pays is nobody's money: it is settled by sandbox/day-end,
//	                         and never at the bank
//	POST /acquirer/events    {"url":"…/callbacks/hubsim-card/events"}: where that connector tells what happens
//	POST /bank/credits       {"amount":"115.00","text":"TV 4K7P 9Q2M","name":"…"}: somebody transfers to the
//	                         safeguard account; with "notify":true a camt.054 tells it before the statement
//	GET  /wallet/phone?phone= what a phone is asked to approve, and its balance
//	POST /wallet/phone       {"phone":"0612345678","pin":"1234"} approves (9999 is wrong), {"decline":true} declines
//	                         the oldest request or that of "ref"; {"top_up":"500.00"} fills the wallet
//	GET  /inbox              a page of the messages that people received, the newest first; ?to= those of one address
//	GET  /inbox.json         the same as data, with how often each was handed in
//	GET  /hubspot/objects.json what the CRM has: contacts, deals, who refused
//	POST /hubspot/refusals   {"email":"…"}: somebody does not want the CRM's mails any more
//	GET  /insurer            a page of the insurer: its claims, to be decided, its policies, what it did, the next fault
//	POST /insurer/claims     {"ref":"CLM…","decision":"accept","amount":"800.00"}; or "reject" with "reason", "ask" with
//	                         "papers":["photo"], "pay" (what is accepted is paid by itself after two seconds)
//	POST /insurer/events     {"url":"…/callbacks/insurer/events"}: where it tells what happens
//	GET  /clock              the partners' time
//	POST /clock              {"advance":"72h"} moves it forward for good
//	GET  /cases              the chargebacks
//	POST /cases              {"ref":"CHG…","amount":"75.00"} opens one of a captured charge (amount, fee and reason as wished);
//	                         {"id":"CBK-…","state":"won"} or "lost" ends it
//
// Cards: any number with a right check digit and a future expiry is approved;
// 4000000000000002 is declined (51), 4000000000000069 is expired (54);
// 4000000000000036 pays and is closed right after, so that refunds to it are
// declined (14). Any six digits pass 3-D Secure but 999999; fewer, or the second button, decline.
// The sandbox's buyers of card.v1, by the centimes of the amount: .01 is declined (funds), .04 is
// not authenticated, .05 is blocked, the first answer to the capture of .03 is lost after it was done, .07 is charged back
// at the day's end.
// Wallets, by the number's last two digits: 00 approves by itself, 11 declines, 22
// is empty, 33 and 34 may pay 200.00 and 5,000.00 at once, 44 is none, 66 takes no
// reversal, 77 closes after paying; all others wait for POST /wallet/phone, ten
// minutes. The provider keeps 0.9 % of a payment.
// Messages: numbers that end in 44, and addresses that begin with gone@, do not
// exist; to numbers that end in 55 nothing arrives. What has a known reference is
// not brought again.
// Accounts whose last two digits before the key are 66 are closed (AC04); at 77
// they are being closed, and what is paid comes back three days later.
// The insurer, by the centimes of the sum insured: .01 is not insured, .02 is pending
// until POST …/insurance/v1/sandbox/day-end, .03 is bound and its answer lost, .04 is refused
// when it is bound; by those of what is claimed: .01 is rejected at the day's end, of .02 papers are asked
// for first, the answer to .03 is lost, .07 is accepted and paid by itself. What it pays comes in at the
// bank from its own account, under the claim's transfer_ref. Less than 40 mm of rain in an observation pays a harvest.
// A chargeback is told by a signed message to …/callbacks/{partner}/chargeback,
// beside the callbackUrl, or by the event chargeback.updated, for four days until it is heard; and leaves the next settlement with its fee as a line of
// its own, whose InstrId is the case; when it is won it comes again.
// The status query also tells CREDIT_AMT, the sum refunded so far in centimes.
//
// Faults of an acquirer (acquirer, acquirer2). On the next calls and pages: away (hung up on
// at once). On the callback of the next card: callback_missing,
// bad_signature (first try), same_ref_other_amount (a dirham more, rightly
// signed), callbacks_shuffled (an older decline comes last), answer_twice (two at
// once), callback_before_answer (the page waits two seconds more),
// replayed_callback (again after five seconds). On the next message about a
// chargeback: callback_missing, bad_signature, answer_twice, replayed_callback. On the next capture, void or
// refund, by API or by the callback's answer: execute_then_drop,
// execute_then_500, execute_then_garbage (by callback: captured, and the callback
// comes again), execute_late (40 s later). On the next API call: drop_request,
// rate_limited (429), slow_body, contradicts_itself (the answer says declined);
// on the next status query: not_found_then_visible (10 min). They are played by whichever door is used
// next; the events of card.v1 know no same_ref_other_amount, for they have no amount.
//
// Faults of the wallets' provider. On the next payment, disbursement or reversal:
// execute_then_drop, execute_then_500, execute_then_garbage, execute_late (40 s
// later), callback_before_answer. On the next call: drop_request, rate_limited
// (429), slow_body, contradicts_itself (refused, or failed, and done all the same);
// on the next question about something known: not_found_then_visible (10 min). On
// the next callback: callback_missing, bad_signature (the sum is wrong, first
// try), same_ref_other_amount, callbacks_shuffled (an older refusal comes last),
// answer_twice, replayed_callback. On the next reuse of a correlation id older than
// a day: key_expires.
//
// Faults of the SMS gateway (sms). On the next message: drop_request, rate_limited
// (429), execute_then_drop, execute_then_500, execute_then_garbage,
// callback_before_answer, contradicts_itself (the number is refused, and the
// message brought), slow_body; on the next report: callback_missing, bad_signature
// (first try), callbacks_shuffled (a failure comes last), answer_twice,
// replayed_callback. Of WhatsApp (whatsapp) those of a message; of the mail server
// (mail): rate_limited (421), drop_request, execute_then_drop, execute_then_500.
//
// Faults of the CRM, on its next call: drop_request, rate_limited (429 without
// Retry-After), execute_then_drop, execute_then_500, execute_then_garbage,
// execute_late (no answer at all, and done when nobody waits for it any more), contradicts_itself (refused, and done all the same), slow_body.
//
// Faults of the insurer. On the next call that changes something (not a quote): execute_then_drop,
// execute_then_500, execute_then_garbage, execute_late (40 s later), callback_before_answer,
// contradicts_itself (refused, and done all the same). On the next call: drop_request,
// rate_limited (429), slow_body; on the next question about something known: not_found_then_visible
// (10 min). On the next event: callback_missing, bad_signature (first try), callbacks_shuffled (an older
// one comes last), answer_twice, replayed_callback. On the next claim that is paid: same_ref_other_amount
// (a dirham less). On the next statement: statement_missing (not there), statement_twice (each row),
// statement_net_of_fee (premiums less the commission). On the next reuse of a reference older than a day: key_expires.
//
// Faults of the bank. On the next connection: rate_limited (closed),
// bad_signature (another host key). On the next file into /in: drop_request (it
// vanishes, the connection ends), execute_then_drop (executed, the connection
// ends, no pain.002), execute_then_500 (executed, the rename is refused),
// callback_before_answer (pain.002 stands before the rename is answered),
// execute_then_garbage (half a pain.002), execute_late (1 min), callback_missing
// (no pain.002), callbacks_shuffled (pain.002 10 s late), answer_twice,
// replayed_callback (again after 5 s), not_found_then_visible (pain.002 and
// statement after 10 min), same_ref_other_amount (a dirham less is paid),
// paid_then_returned (3 days), contradicts_itself (pain.002 rejects what was
// paid). On the next reuse of an id older than a day: key_expires. On the next
// statement: statement_missing (two cycles late), statement_twice; on the next
// settlement: statement_net_of_fee. On the next file read: slow_body. Over
// NextGenPSD2 the next order plays drop_request, execute_then_drop,
// execute_then_500, execute_then_garbage, rate_limited, same_ref_other_amount,
// paid_then_returned. All terms
// are of the partners' clock, so POST /clock brings them near.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"tiwiza/cmd/hubsim/internal/sim"
)

func main() {
	var c sim.Config
	kong.Parse(&c, kong.Name("hubsim"), kong.Description("Stand-in card acquirers, wallets, bank, insurer, CRM and message gateways, over HTTP, SFTP and SMTP."))
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, c); err != nil {
		slog.Error("hubsim stops", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c sim.Config) error {
	s, err := sim.Open(c)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}
