package main

import (
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/marketplace/groupbuys"
	"tiwiza/marketplace/pools"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// postings make a request of each route that must happen once, with a subject of
// its own.
var postings = map[string]func(*testing.T, *onceRig) posting{
	"checkouts.create": func(t *testing.T, o *onceRig) posting {
		p := posting{by: o.buyer(t), effect: ofBasket}
		p.key, p.path = o.buyer(t), "/v1/checkouts"
		p.of = o.basket(t, p.key, map[string]int{o.ware.variant: 1})
		hash := o.quote(t, p.key, p.of)
		p.body = ordering(p.of, hash)
		other := ordering(p.of, hash)
		other["contact"] = map[string]any{"name": "Un autre", "phone": "0600000001"}
		p.other, p.bad = p.at(p.path, other), p.at(p.path, ordering(p.of, strings.Repeat("0", 64)))
		return p
	},
	"baskets.merge": func(t *testing.T, o *onceRig) posting {
		p := posting{by: o.buyer(t)}
		p.key = o.buyer(t)
		to, from := o.basket(t, p.key, nil), o.basket(t, p.key, map[string]int{o.ware.variant: 1})
		p.path, p.body = "/v1/baskets/"+to+"/merge", map[string]string{"from": from}
		p.bad, p.other = p.at(p.path, map[string]string{"from": "bsk_none"}), p.at(p.path, map[string]string{"from": from, "key": "none"})
		p.effect, p.of = trail("baskets.merge", to)
		return p
	},
	"orders.collect": func(t *testing.T, o *onceRig) posting {
		_, at := o.underWay(t)
		return o.onOrder(t, at, "collect", o.shop.key, amount("130.00"), amount("999.00"), amount("120.00"))
	},
	"orders.refuse": func(t *testing.T, o *onceRig) posting {
		_, at := o.underWay(t)
		return o.onOrder(t, at, "refuse", o.shop.key, reason("absent"), reason(""), reason("refused"))
	},
	"orders.take_back": func(t *testing.T, o *onceRig) posting {
		order, at := o.underWay(t)
		o.ask(t, req{key: o.shop.key, method: "POST", path: at + "/refuse", body: reason("absent"), idem: once()}).into(t, nil)
		some := func(n int) map[string]any {
			return map[string]any{"restock": []map[string]any{{"variant": o.ware.variant, "quantity": n}}}
		}
		p := o.onOrder(t, at, "take-back", o.shop.key, nil, some(9), map[string]any{"restock": []any{}})
		p.effect, p.of = trail("orders.take_back", order)
		return p
	},
	"orders.cancel": func(t *testing.T, o *onceRig) posting {
		s := o.sold(t, o.ware, goodCard, false)
		return o.onOrder(t, "/v1/orders/"+s.Orders[0].ID, "cancel", s.buyer, reason("Plus besoin."), reason(""), reason("Trop tard."))
	},
	"orders.refund": func(t *testing.T, o *onceRig) posting {
		s := o.sold(t, o.ware, goodCard, false)
		o.shipped(t, s, o.shop)
		with := func(sum string) map[string]any {
			return map[string]any{"amount": dirhams(sum), "reason": "Un pot est cassé."}
		}
		p := o.onOrder(t, "/v1/orders/"+s.Orders[0].ID, "refunds", o.shop.key, with("10.00"), with("999.00"), with("11.00"))
		p.effect, p.of = trail("orders.refund", s.Orders[0].ID)
		return p
	},
	"orders.receive": func(t *testing.T, o *onceRig) posting {
		s := o.sold(t, o.ware, goodCard, false)
		o.shipped(t, s, o.shop)
		return o.onOrder(t, "/v1/orders/"+s.Orders[0].ID, "receive", s.buyer, nil, nil, nil)
	},
	"refunds.account": func(t *testing.T, o *onceRig) posting {
		s := o.sold(t, o.ware, map[string]string{"pan": "4000000000000036", "expiry": "12/29", "cvv": "000", "otp": "123456"}, true)
		o.shipped(t, s, o.shop)
		var v refundView
		o.ask(t, refunding(s, o.shop.key, "15.00")).into(t, &v)
		o.until(t, "the card to refuse "+v.ID, func() bool { return o.refundOf(t, s.buyer, v.ID).State == "awaiting_rib" })
		p := posting{by: o.buyer(t)}
		p.key, p.path, p.body = s.buyer, "/v1/refunds/"+v.ID+"/account", map[string]string{"rib": "011519000001205000534921"}
		p.bad, p.other = p.at(p.path, map[string]string{"rib": "1"}), p.at(p.path, map[string]string{"rib": "230780210345678901234517"})
		p.effect, p.of = trail("refunds.account", v.ID)
		return p
	},
	"cash.write_off": func(t *testing.T, o *onceRig) posting {
		order := o.owed(t)
		p := o.second(reason("the carrier has closed"), reason(""), reason("it is lost"))
		p.path = "/v1/cash/" + order + "/write-off"
		p.effect, p.of = trail("cash.write_off", order)
		return p.moved()
	},
	"remittances.create": func(t *testing.T, o *onceRig) posting {
		with := func(order, theirs string) map[string]any {
			return map[string]any{"carrier": "demo", "orders": []string{order}, "reference": theirs}
		}
		order, theirs := o.owed(t), once()[:12]
		p := o.second(with(order, theirs), with("ord_none", theirs), with(order, once()[:12]))
		p.path, p.effect, p.of = "/v1/remittances", ofTheirs, theirs
		return p.moved()
	},
	"remittances.withdraw": func(t *testing.T, o *onceRig) posting {
		l := o.announced(t, o.owed(t))
		p := o.second(nil, nil, nil)
		p.path = "/v1/remittances/" + l.ID + "/withdraw"
		p.effect, p.of = trail("remittances.withdraw", l.ID)
		return p.moved()
	},
	"disputes.reply": func(t *testing.T, o *onceRig) posting {
		d, _ := o.complaint(t)
		with := func(text string) map[string]any { return map[string]any{"text": text, "accept": true} }
		p := posting{by: o.stranger.key}
		p.key, p.path, p.body = o.shop.key, "/v1/disputes/"+d+"/reply", with("Un pot sur deux.")
		p.bad, p.other = p.at(p.path, map[string]int{"text": 3}), p.at(p.path, with("Tous."))
		p.effect, p.of = trail("disputes.reply", d)
		return p
	},
	"disputes.rule": func(t *testing.T, o *onceRig) posting {
		d, _ := o.complaint(t)
		with := func(back, rest string) map[string]any {
			return map[string]any{"refund": dirhams(back), "release": dirhams(rest), "reason": "Un pot sur deux."}
		}
		p := o.second(with("40.00", "90.00"), with("40.00", "91.00"), with("50.00", "80.00"))
		p.path = "/v1/disputes/" + d + "/rule"
		p.effect, p.of = trail("disputes.rule", d)
		return p.moved()
	},
	"approvals.decide": func(t *testing.T, o *onceRig) posting {
		var v struct{ Approval string }
		o.ask(t, req{key: o.operator(), method: "POST", path: "/v1/payout-limits", body: otherLimits(mark("Exercice")), idem: once()}).into(t, &v)
		with := func(word, note string) map[string]string { return map[string]string{"decision": word, "note": note} }
		p := o.second(with("refuse", "Non."), with("perhaps", ""), with("refuse", "Jamais."))
		p.key, p.by, p.path = p.by, p.key, "/v1/approvals/"+v.Approval
		p.effect, p.of = trail("approvals.decide", v.Approval)
		return p.moved()
	},
	"ledger.close": func(t *testing.T, o *onceRig) posting {
		why := mark("the audit is over")
		with := func(upto string) map[string]string { return map[string]string{"upto": upto, "why": why} }
		upto := "2019-01-31"
		if o.raced { // asked for once, a day is asked for
			upto = "2019-02-28"
		}
		p := o.second(with(upto), with("2999-01-31"), with("2018-01-31"))
		p.path, p.effect, p.of = "/v1/ledger/closings", ofAsked, why
		return p.moved()
	},
	"ledger.reverse": func(t *testing.T, o *onceRig) posting {
		ref, why := once(), mark("typed twice")
		o.ask(t, req{key: o.operator(), method: "POST", path: "/v1/ledger/transfers", body: byHand(ref, "psp_cost", "fees", "1.00"), idem: once()}).into(t, nil)
		with := func(ref, why string) map[string]string { return map[string]string{"reference": ref, "note": why} }
		p := o.second(with(ref, why), with(once(), why), with(ref, "other"))
		p.path, p.effect, p.of = "/v1/ledger/reversals", ofAsked, why
		return p.moved()
	},
	"escrows.release": func(t *testing.T, o *onceRig) posting {
		s := o.sold(t, o.ware, goodCard, false)
		var e struct{ Escrow struct{ ID string } }
		o.ask(t, req{key: s.buyer, method: "GET", path: "/v1/orders/" + s.Orders[0].ID}).into(t, &e)
		p := posting{by: o.buyer(t), effect: ofReleases, of: s.Orders[0].ID}
		p.key, p.path, p.body = s.buyer, "/v1/escrows/"+e.Escrow.ID+"/release", amount("10.00")
		p.bad, p.other = p.at(p.path, amount("999.00")), p.at(p.path, amount("11.00"))
		return p
	},
	"ledger.post": func(t *testing.T, o *onceRig) posting {
		ref := once()
		p := o.second(byHand(ref, "psp_cost", "fees", "1.00"), byHand(ref, "escrow:x", "fees", "1.00"), byHand(ref, "psp_cost", "fees", "2.00"))
		p.path, p.effect, p.of, p.lane = "/v1/ledger/transfers", ofPosts, "hand:"+ref, true
		return p.moved()
	},
	"notices.wish": func(t *testing.T, o *onceRig) posting {
		p := o.second(map[string]string{"lang": "ar"}, map[string][]string{"channels": {"pigeon"}}, map[string]string{"lang": "en"})
		p.key, p.by, p.path = o.buyer(t), o.buyer(t), "/v1/notices/settings"
		p.effect, p.of = trail("notices.wish", o.self(t, p.key))
		return p.moved()
	},
	"charges.pay_anew": func(t *testing.T, o *onceRig) posting {
		p := o.refusedOnPhone(t, "/wallet", map[string]string{"phone": "+212600000000"}, map[string]string{"phone": "12"}, map[string]string{"phone": "+212600000100"})
		p.effect = ofRequests
		return p
	},
	"charges.give_up": func(t *testing.T, o *onceRig) posting {
		p := o.refusedOnPhone(t, "/give-up", nil, nil, nil)
		p.effect = ofExpired
		return p
	},
	"delivery.make": func(t *testing.T, o *onceRig) posting {
		name := mark("Porteur exemple")
		p := o.second(delivers(name, "20.00"), delivers(name, "-1.00"), delivers(name, "21.00"))
		p.key, p.path, p.effect, p.of = o.shop.key, "/v1/delivery-ways", ofWays, name
		return p.moved()
	},
	"delivery.end": func(t *testing.T, o *onceRig) posting {
		var way struct{ ID string }
		o.ask(t, req{key: o.shop.key, method: "POST", path: "/v1/delivery-ways", body: delivers("Porteur exemple", "20.00"), idem: once()}).into(t, &way)
		p := o.second(nil, nil, nil)
		p.key, p.path = o.shop.key, "/v1/delivery-ways/"+way.ID+"/end"
		p.effect, p.of = trail("delivery.end", way.ID)
		return p.moved()
	},
	"promotions.make": func(t *testing.T, o *onceRig) posting {
		name := mark("Remise exemple")
		p := o.second(takesOff(name, "5.00"), takesOff(name, "-5.00"), takesOff(name, "6.00"))
		p.key, p.path, p.effect, p.of = o.stranger.key, "/v1/promotions", ofPromotions, name
		return p.moved()
	},
	"promotions.end": func(t *testing.T, o *onceRig) posting {
		var made struct{ ID string }
		o.ask(t, req{key: o.stranger.key, method: "POST", path: "/v1/promotions", body: takesOff("Remise exemple", "5.00"), idem: once()}).into(t, &made)
		p := o.second(nil, nil, nil)
		p.key, p.path = o.stranger.key, "/v1/promotions/"+made.ID+"/end"
		p.effect, p.of = trail("promotions.end", made.ID)
		return p.moved()
	},
	"group_buys.make": func(t *testing.T, o *onceRig) posting {
		s := o.seller(t)
		w := o.rig.ware(t, s, 9, "100.00")
		p := o.second(grouping(w.variant, 9), grouping(w.variant, 2), grouping(w.variant, 8))
		p.key, p.path, p.effect, p.of = s.key, "/v1/group-buys", ofGroupBuys, w.variant
		return p.moved()
	},
	"group_buys.admit": func(t *testing.T, o *onceRig) posting { return o.onGroup(t, "admit", o.shop.key, nil, nil, nil) },
	"group_buys.decline": func(t *testing.T, o *onceRig) posting {
		return o.onGroup(t, "decline", o.shop.key, reason("Non."), reason(""), reason("Jamais."))
	},
	"group_buys.cancel": func(t *testing.T, o *onceRig) posting {
		return o.onGroup(t, "cancel", o.operator(), reason("Non."), reason(""), reason("Jamais."))
	},
	"group_buys.join": func(t *testing.T, o *onceRig) posting {
		g := posts[groupbuys.View](t, o.rig, o.shop.key, "/v1/group-buys", grouping(o.ware.variant, 9))
		with := func(n int) map[string]int { return map[string]int{"quantity": n} }
		p := o.second(with(2), with(10), with(3))
		p.key, p.by, p.path = o.buyer(t), o.buyer(t), "/v1/group-buys/"+g.ID+"/baskets"
		p.effect, p.of = trail("group_buys.join", g.ID)
		return p.moved()
	},
	"pools.make": func(t *testing.T, o *onceRig) posting {
		name := mark("Huile exemple")
		p := o.second(seeking(name, "90.00"), seeking(name, "-1.00"), seeking(name, "80.00"))
		p.key, p.path, p.effect, p.of = o.buyer(t), "/v1/pools", ofPools, name
		return p.moved()
	},
	"pools.cancel": func(t *testing.T, o *onceRig) posting {
		key, pool := o.poolOf(t)
		p := o.second(nil, nil, nil)
		p.key, p.path = key, "/v1/pools/"+pool+"/cancel"
		p.effect, p.of = trail("pools.cancel", pool)
		return p.moved()
	},
	"pools.pledge": func(t *testing.T, o *onceRig) posting {
		_, pool := o.poolOf(t)
		p := o.second(pledging(3, "50.00", ""), pledging(3, "-1.00", ""), pledging(4, "50.00", ""))
		p.key, p.by, p.path, p.effect, p.of = o.buyer(t), o.buyer(t), "/v1/pools/"+pool+"/pledges", ofPledges, pool
		return p.moved()
	},
	"pools.withdraw": func(t *testing.T, o *onceRig) posting {
		_, pool := o.poolOf(t)
		p := o.second(nil, nil, nil)
		p.key, p.by = o.buyer(t), o.buyer(t)
		v := posts[pools.PledgeView](t, o.rig, p.key, "/v1/pools/"+pool+"/pledges", pledging(3, "50.00", ""))
		p.path = "/v1/pools/" + pool + "/pledges/" + v.ID + "/withdraw"
		p.effect, p.of = trail("pools.withdraw", v.ID)
		return p.moved()
	},
	"pools.basket": func(t *testing.T, o *onceRig) posting {
		_, pool := o.poolOf(t)
		w := o.rig.ware(t, o.shop, 9, "100.00")
		p := o.second(nil, nil, nil)
		p.key, p.by = o.buyer(t), o.buyer(t)
		posts[pools.PledgeView](t, o.rig, p.key, "/v1/pools/"+pool+"/pledges", pledging(5, "60.00", ""))
		posts[pools.PledgeView](t, o.rig, o.shop.key, "/v1/pools/"+pool+"/pledges", pledging(5, "50.00", w.variant))
		over(t, o.owner, "pools.pool", pool)
		o.until(t, "the pool to be cleared", func() bool { return strings.Contains(o.shows(t, "", "/v1/pools/"+pool), `"cleared"`) })
		p.path, p.effect, p.of = "/v1/pools/"+pool+"/baskets", ofLines, w.variant
		return p.moved()
	},
	"loyalty.burn": func(t *testing.T, o *onceRig) posting {
		k := o.buyer(t)
		var me struct{ Person string }
		o.ask(t, req{key: k, method: "GET", path: "/v1/loyalty"}).into(t, &me)
		o.ask(t, req{key: o.operator(), method: "POST", path: "/v1/loyalty/adjustments", body: map[string]any{"person": me.Person, "points": 1500, "reason": "Exercice"}, idem: once()}).into(t, nil)
		p := o.second(map[string]int{"points": 500}, map[string]int{"points": 499}, map[string]int{"points": 501})
		p.key, p.path, p.effect, p.of = k, "/v1/loyalty/burn", ofBurns, me.Person
		return p.moved()
	},
	"loyalty.adjust": func(t *testing.T, o *onceRig) posting {
		who, why := id.New(id.Person), mark("Geste")
		with := func(points int) map[string]any {
			return map[string]any{"person": who, "points": points, "reason": why}
		}
		p := o.second(with(5), with(0), with(6))
		p.path, p.effect, p.of = "/v1/loyalty/adjustments", ofPoints, why
		return p.moved()
	},
	"loyalty.rule": func(t *testing.T, o *onceRig) posting {
		s := o.seller(t)
		with := func(per string) map[string]any {
			return map[string]any{"seller": s.org, "per_dirham": per, "since": "2098-01-01T00:00:00Z"}
		}
		p := o.second(with("1"), with("21"), with("2"))
		p.path, p.effect, p.of = "/v1/loyalty/rules", ofEarning, s.org
		return p.moved()
	},
	"loyalty.tier": func(t *testing.T, o *onceRig) posting {
		code := "t" + strings.ToLower(once()[:10])
		with := func(code string, bonus int) map[string]any {
			return map[string]any{"code": code, "names": map[string]string{"fr": "Exemple"}, "bonus": bonus}
		}
		p := o.second(with(code, 5), with("-", 5), with(code, 6))
		p.path = "/v1/loyalty/tiers"
		p.effect, p.of = trail("loyalty.tier", code)
		return p.moved()
	},
	"loyalty.terms": func(t *testing.T, o *onceRig) posting {
		since := time.Date(2098, 1, int(days.Add(1)), 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
		with := func(least int, since string) map[string]any {
			return map[string]any{"worth": 1, "months": 12, "least": least, "voucher_days": 30, "since": since}
		}
		p := o.second(with(500, since), with(500, "2020-01-01T00:00:00Z"), with(600, since))
		p.path = "/v1/loyalty/terms"
		p.effect, p.of = trail("loyalty.terms", since)
		return p.moved()
	},
	"delivery_tariffs.add": func(t *testing.T, o *onceRig) posting {
		payee, since := "c"+strings.ToLower(once()[:12]), time.Date(2098, 1, int(days.Add(1)), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		with := func(per string) map[string]any {
			return map[string]any{"method": "carrier", "base": dirhams("30.00"), "included_g": 5000, "per_kg": dirhams(per), "payee": payee, "since": since}
		}
		p := o.second(with("4.00"), with("-4.00"), with("5.00"))
		p.path, p.effect, p.of = "/v1/delivery-tariffs", ofTariffs, payee
		return p.moved()
	},
	"payment_rules.add": func(t *testing.T, o *onceRig) posting {
		s := o.seller(t)
		with := func(most string) map[string]any {
			return map[string]any{"method": "cash_on_delivery", "seller": s.org, "most": dirhams(most), "since": "2098-01-01"}
		}
		p := o.second(with("4000.00"), with("-1.00"), with("5000.00"))
		p.path, p.effect, p.of = "/v1/payment-rules", ofRules, s.org
		return p.moved()
	},
	"fees.change": func(t *testing.T, o *onceRig) posting {
		fee := func(percent string) map[string]any {
			return map[string]any{"why": "test", "rates": []any{map[string]string{"kind": "reserve", "percent": percent, "since": "2098-01-01"}}}
		}
		p := o.second(fee("1.5"), fee("101"), fee("2.5"))
		p.path = "/v1/fees"
		p.effect, p.of = ofFees, "fees.change"
		return p.moved()
	},
	"statements.create": func(t *testing.T, o *onceRig) posting {
		told := regexp.MustCompile(`(?s)<Ntry>.*</Ntry>`).ReplaceAllString(o.archived(t, "CAMT054_")[0], "")
		file := func(name string) string { return regexp.MustCompile(`NTFY-[^<]*`).ReplaceAllString(told, name) }
		name := once()[:12]
		p := o.second(file(name), file(name)[:200], file(once()[:12]))
		p.path, p.by, p.effect, p.of = "/v1/statements", o.keys.Buyer.APIKey, ofFiles, name
		p.key, p.media = o.keys.Bank.APIKey, "application/octet-stream"
		return p.moved()
	},
	"breaks.resolve": func(t *testing.T, o *onceRig) posting {
		brk := o.puzzle(t)
		with := func(note string) map[string]string { return map[string]string{"by": "write_off", "note": note} }
		p := o.second(with("Inconnu."), with(""), with("Perdu."))
		p.path = "/v1/breaks/" + brk + "/resolve"
		p.effect, p.of = trail("breaks.resolve", brk)
		return p.moved()
	},
	"closings.create": func(t *testing.T, o *onceRig) posting {
		with := func(day string) map[string]string { return map[string]string{"day": day} }
		p := o.second(with(o.day), with("2999-01-31"), with("2020-01-01"))
		p.path = "/v1/closings"
		p.effect, p.of = trail("closings.create", o.day)
		return p.moved()
	},
	"operations.review": func(t *testing.T, o *onceRig) posting {
		op := o.leftOpen(t)
		with := func(word, ref string) map[string]any {
			return map[string]any{"decision": word, "evidence": "The insurer's letter says that nothing was booked.", "reference": ref}
		}
		p := o.second(with("rejected", "LTR-1"), with("returned", "LTR-1"), with("rejected", "LTR-2"))
		p.path = "/v1/operations/" + op + "/review"
		p.effect, p.of = trail("operations.review", op)
		return p.moved()
	},
	"payouts.create": func(t *testing.T, o *onceRig) posting {
		p := posting{by: o.stranger.key, effect: ofPayouts, of: o.shop.org}
		p.key, p.path, p.body = o.shop.key, "/v1/payouts", amount("10.00")
		p.bad, p.other = p.at(p.path, amount("99999999.00")), p.at(p.path, amount("11.00"))
		return p
	},
	"payouts.approve": func(t *testing.T, o *onceRig) posting {
		var v payoutView
		body := map[string]any{
			"beneficiary": "carrier:" + o.carrier(t), "amount": dirhams("1.00"),
			"account": map[string]string{"rib": number(24, 97), "holder": "Transport (exemple)"},
		}
		o.ask(t, req{key: o.operator(), method: "POST", path: "/v1/payouts", body: body, idem: once()}).into(t, &v)
		p := o.second(nil, nil, nil)
		p.key, p.by, p.path = p.by, p.key, "/v1/payouts/"+v.ID+"/approve"
		p.effect, p.of = trail("payouts.approve", v.ID)
		return p.moved()
	},
	"payout_limits.create": func(t *testing.T, o *onceRig) posting {
		why := mark("Exercice")
		bad := otherLimits(why)
		bad["total_day"] = dirhams("0.01")
		p := o.second(otherLimits(why), bad, otherLimits(mark("Autre")))
		p.path, p.effect, p.of = "/v1/payout-limits", ofAsked, why
		return p.moved()
	},
	"partners.hold": func(t *testing.T, o *onceRig) posting {
		p := o.second(reason("maintenance"), reason(""), reason("autre"))
		p.path = "/v1/partners/mail/lanes/pause"
		p.effect, p.of = trail("partners.hold", "mail")
		return p.moved()
	},
	"partners.go_on": func(t *testing.T, o *onceRig) posting {
		p := o.second(nil, nil, nil)
		p.path = "/v1/partners/whatsapp/lanes/resume"
		p.effect, p.of = trail("partners.go_on", "whatsapp")
		p.bad, p.other = p.at("/v1/partners/none/lanes/resume", nil), p.at("/v1/partners/sms/lanes/resume", nil)
		return p
	},
	"partners.tune": func(t *testing.T, o *onceRig) posting {
		p := o.second(map[string]int{"burst": 60}, map[string]int{"header_ms": 30000}, map[string]int{"burst": 61})
		p.path = "/v1/partners/sms/lanes/tell"
		p.effect, p.of = trail("partners.tune", "sms")
		return p.moved()
	},
	"treasury.top_up": func(t *testing.T, o *onceRig) posting { return o.ownMove(t, "top-ups", "sweeps", "top_up") },
	"treasury.sweep":  func(t *testing.T, o *onceRig) posting { return o.ownMove(t, "sweeps", "top-ups", "sweep") },
}

func amount(sum string) map[string]any { return map[string]any{"amount": dirhams(sum)} }

func reason(text string) map[string]string { return map[string]string{"reason": text} }

func otherLimits(why string) map[string]any {
	return map[string]any{
		"two_above": dirhams("1.00"), "member_day": dirhams("1.00"), "total_day": dirhams("1.00"), "debt_above": dirhams("1.00"), "reason": why,
	}
}

// onOrder is a move of an order by one of its people.
func (o *onceRig) onOrder(t *testing.T, at, move, key string, body, bad, other any) posting {
	t.Helper()
	p := posting{by: o.stranger.key}
	p.key, p.path, p.body = key, at+"/"+move, body
	p.bad, p.other = p.at(p.path, bad), p.at(p.path, other)
	p.effect, p.of = trail("orders."+move, strings.TrimPrefix(at, "/v1/orders/"))
	return p.moved()
}

// onGroup is a move of a group buy that a buyer asked for.
func (o *onceRig) onGroup(t *testing.T, move, key string, body, bad, other any) posting {
	t.Helper()
	g := posts[groupbuys.View](t, o.rig, o.buyer(t), "/v1/group-buys", grouping(o.ware.variant, 9))
	p := o.second(body, bad, other)
	p.key, p.by, p.path = key, o.stranger.key, "/v1/group-buys/"+g.ID+"/"+move
	p.effect, p.of = trail("group_buys."+move, g.ID)
	return p.moved()
}

// poolOf is a pool, and the key of whoever opened it.
func (o *onceRig) poolOf(t *testing.T) (key, pool string) {
	t.Helper()
	key = o.buyer(t)
	return key, posts[pools.View](t, o.rig, key, "/v1/pools", seeking(mark("Huile exemple"), "90.00")).ID
}

// takesOff is a promotion of an amount, by a code of its own.
func takesOff(name, amount string) map[string]any {
	return map[string]any{
		"kind": "amount", "names": map[string]string{"fr": name}, "amount": dirhams(amount), "from": time.Now().Format(time.DateOnly), "to": time.Now().AddDate(0, 10, 0).Format(time.DateOnly),
		"code": "EX-" + strings.ToUpper(strings.ReplaceAll(name[len(name)-7:], " ", "")) + strings.ReplaceAll(strings.Trim(amount, "-"), ".", ""),
	}
}

// days are those from which tariffs hold: each once.
var days atomic.Int32

// delivers is a seller's own delivery at one price.
func delivers(name, price string) map[string]any {
	return map[string]any{
		"kind": "own", "names": map[string]string{"fr": name}, "lead_days": 1, "commune": "Agadir", "radius_km": 1,
		"zones": []any{map[string]any{"steps": []any{map[string]any{"price": dirhams(price)}}}},
	}
}

// second is a request of an operator's, and the other operator is another
// member. Its address follows.
func (o *onceRig) second(body, bad, other any) posting {
	p := posting{by: o.keys.SecondOperator.APIKey}
	p.key, p.body = o.operator(), body
	p.bad, p.other = p.at("", bad), p.at("", other)
	return p
}

// refusedOnPhone is what a buyer does when a wallet has refused a charge.
func (o *onceRig) refusedOnPhone(t *testing.T, route string, body, bad, other any) posting {
	t.Helper()
	s := o.buyByWallet(t, o.ware.variant, phone("22"))
	o.until(t, "the refusal", func() bool { return o.walletChargeOf(t, s).Status == "declined" })
	p := posting{by: o.buyer(t)}
	p.key, p.path, p.body, p.of = s.buyer, "/v1/charges/"+s.Charge.ID+route, body, s.Charge.ID
	p.bad, p.other = p.at(p.path, bad), p.at(p.path, other)
	return p.moved()
}

// moved gives what is wrong, and what is other, the address of what is right; a
// request without a body is another, or wrong, at another address.
func (p posting) moved() posting {
	for _, r := range []*req{p.bad, p.other} {
		r.key, r.path, r.media = p.key, p.path, p.media
		if p.body == nil {
			r.path = strings.Replace(p.path, "_", "_0", 1)
		}
	}
	return p
}

// ownMove is a move of our own money, as on a day when the hub has made none. It
// has nothing that could be wrong.
func (o *onceRig) ownMove(t *testing.T, route, other, kind string) posting {
	t.Helper()
	o.earn(t, o.shop, "100.00")
	o.until(t, "the last "+kind+" to end", func() bool {
		n, err := pg.Value[int64](t.Context(), o.house.store, nil, `select count(*) from treasury.move where kind = $1 and state = 'open'`, kind)
		return err == nil && n == 0
	})
	o.sql(t, `update treasury.move set day = day - (select count(*)::int from treasury.move) * 100 where kind = $1`, kind)
	p := o.second(nil, nil, nil)
	p.path, p.effect, p.of = "/v1/treasury/"+route, ofMoves, kind
	p = p.moved()
	p.bad, p.other.path = nil, "/v1/treasury/"+other
	return p
}

// underWay is a cash order that is brought to its buyer.
func (o *onceRig) underWay(t *testing.T) (order, at string) {
	t.Helper()
	s := o.sellBy(t, "cash_on_delivery", o.ware.variant)
	return s.Orders[0].ID, o.brought(t, o.shop, s)
}

// owed is an order whose carrier owes its cash.
func (o *onceRig) owed(t *testing.T) string {
	t.Helper()
	order, at := o.underWay(t)
	o.collected(t, o.shop, at, "130.00")
	return order
}

// complaint is an open dispute about an order of 130.00.
func (o *onceRig) complaint(t *testing.T) (dispute, buyer string) {
	t.Helper()
	s := o.sold(t, o.ware, goodCard, false)
	var d struct{ ID string }
	o.ask(t, req{
		key: s.buyer, method: "POST", path: "/v1/orders/" + s.Orders[0].ID + "/disputes",
		body: map[string]string{"reason": "damaged", "wish": "partial_refund", "text": "Un pot est cassé."},
	}).into(t, &d)
	return d.ID, s.buyer
}

// puzzle is a break about money that nobody expects.
func (o *onceRig) puzzle(t *testing.T) (id string) {
	t.Helper()
	o.credit(t, "7.00", "don")
	o.until(t, "the break", func() bool {
		var list struct {
			Data []struct {
				ID     string
				State  string
				Amount *moneyView
			}
		}
		o.ask(t, req{key: o.operator(), method: "GET", path: "/v1/breaks?limit=100"}).into(t, &list)
		for _, b := range list.Data {
			if b.State == "open" && b.Amount != nil && b.Amount.Amount() == "7.00" {
				id = b.ID
				return true
			}
		}
		return false
	})
	return id
}
