"""An insurer that speaks insurance.v1 (../../insurance.v1.yaml), in Python's standard library: python3 server.py

What it knows is one file to which lines are only ever added; each line is on the disk before it is answered. After a
crash the file is read again, and a line that was cut off is dropped. It is an example and a sandbox, not an insurer.

  PORT    0 takes any free one; the address is printed
  DATA    the file, insurer.journal
  TOKENS  bearer tokens that are let in, separated by commas; two while they are changed
  ID      its name in the manifest, insurer-python
  EVENTS  where events are sent to, if anywhere
"""
import base64, datetime, hashlib, hmac, json, os, re, threading, time, urllib.parse, urllib.request, uuid
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOST = 1 << 20  # of a body
TOKENS = [t.encode() for t in os.environ.get("TOKENS", "a-token-for-the-sandbox").split(",")]
EVENTS = os.environ.get("EVENTS", "")
REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")
MONEY = re.compile(r"-?(0|[1-9][0-9]{0,12})\.([0-9]{2})")
lock = threading.RLock()  # one request at a time

# ---- Ed25519 (RFC 8032), for the events: the standard library has no signatures

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    x, y = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = y - x, z - t, z + t, y + x
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, point):
    out = (0, 1, 1, 0)
    while n:
        if n & 1:
            out = add(out, point)
        point, n = add(point, point), n >> 1
    return out


def pack(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


GY = 4 * pow(5, P - 2, P) % P
GX = 15112221349535400772501151409588531511454012693041857206046113283949847762202
G = (GX, GY, 1, GX * GY % P)


def sha512(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def expand(seed):
    h = hashlib.sha512(seed).digest()
    return int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254, h[32:]


def public(seed):
    return pack(times(expand(seed)[0], G))


def sign(seed, text):
    a, prefix = expand(seed)
    r = sha512(prefix, text) % L
    point = pack(times(r, G))
    s = (r + sha512(point, public(seed), text) % L * a) % L
    return point + s.to_bytes(32, "little")


# ---- what the insurer knows: made of the lines of its file, in their order

known = {"quotes": {}, "policies": {}, "claims": {}, "asked": {}, "rows": [], "seed": ""}


def apply(line):
    what = line["what"]
    if what == "seed":
        known["seed"] = line["seed"]
    elif what == "row":
        known["rows"].append(line["row"])
    elif what == "asked":
        known["asked"][line["key"]] = line["sum"]
    else:  # a quote, a policy or a claim, as it is from now on
        known[what][line["it"]["ref"]] = line["it"]


def start(path):
    global file
    file = open(path, "a+b")
    file.seek(0)
    end = 0
    for line in file.read().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break  # cut off by a crash: it was never answered
        for one in json.loads(line):
            apply(one)
        end += len(line)
    file.truncate(end)
    if not known["seed"]:
        write({"what": "seed", "seed": os.urandom(32).hex()})


def write(*lines):
    """Puts lines on the disk, all in one, and only then takes them in."""
    file.write(json.dumps(lines).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())
    for one in lines:
        apply(one)


# ---- money, in centimes

def mad(c):
    return {"amount": f"{'-' if c < 0 else ''}{abs(c) // 100}.{abs(c) % 100:02}", "currency": "MAD"}


def centimes(m):
    if not isinstance(m, dict) or m.get("currency") != "MAD" or not MONEY.fullmatch(str(m.get("amount"))):
        return None
    return int(m["amount"].replace(".", ""))


# ---- products, plainly invented

def said(fr, ar, en):
    return {"fr": fr, "ar": ar, "en": en}


PRODUCTS = [
    {
        "id": "atelier", "version": 1, "line": "stock", "names": said("Atelier (exemple)", "ورشة (مثال)", "Workshop (example)"),
        "covers": [said("Incendie", "الحريق", "Fire")], "exclusions": [said("Usure", "الاستهلاك", "Wear")],
        "premium": {"rate_permille": 10, "minimum": mad(5000), "period": "year"}, "most": mad(10000000), "excess": mad(20000),
        "waiting_days": 0, "cooling_off_days": 14, "commission_permille": 100, "papers": ["photo"],
    },
    {
        "id": "pluie", "version": 1, "line": "crop", "names": said("Pluie (exemple)", "مطر (مثال)", "Rain (example)"),
        "covers": [said("Moins de 30 mm dans le mois", "أقل من 30 ملم في الشهر", "Less than 30 mm in the month")], "exclusions": [],
        "premium": {"rate_permille": 40, "minimum": mad(5000), "period": "season"}, "most": mad(5000000), "excess": mad(0),
        "waiting_days": 0, "cooling_off_days": 14, "commission_permille": 80, "papers": [],
        "trigger": {"index": "rain_mm", "source": "Station (exemple)", "below": True, "threshold": "30.0", "pays": mad(100000)},
    },
]
SUBJECTS = {"parcel": "shipment", "stock": "stock", "crop": "crop", "health": "person"}


def sheet(product, lang):
    return f"{product['names'][lang]}\n\n{product['covers'][0][lang]}\n\nDémonstration : cet assureur n’existe pas.\n".encode()


def documents(product):
    return [{"kind": "information_sheet", "lang": lang, "url": f"{base}/sheets/{product['id']}-{lang}.txt", "sha256": hashlib.sha256(sheet(product, lang)).hexdigest()} for lang in ("fr", "ar", "en")]


def product_of(name, version):
    return next((p for p in PRODUCTS if p["id"] == name and p["version"] == version), None)


# ---- requests

class Refusal(Exception):
    def __init__(self, status, code, detail, reason=""):
        super().__init__(detail)
        self.status, self.code, self.detail, self.reason = status, code, detail, reason


class Lost(Exception):
    """Done, and nobody hears of it."""


def invalid(pointer, detail):
    return Refusal(422, "invalid", f"{pointer}: {detail}")


def moment(text, pointer):
    try:
        return datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", str(text)).replace("Z", "+00:00")).astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        raise invalid(pointer, "Give a moment as RFC 3339 writes it.")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def stamp(t):
    return t.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def text(body, field, pointer):
    if not isinstance(body.get(field), str) or not body[field].strip():
        raise invalid(pointer, "It is missing.")
    return body[field]


def once(kind, key, raw, do, again):
    """Does a request once for its reference: the same again is answered as it stands today."""
    total = hashlib.sha256(kind.encode() + raw).hexdigest()
    had = known["asked"].get(f"{kind} {key}")
    if had is None:
        lines, told, lost = do()
        write({"what": "asked", "key": f"{kind} {key}", "sum": total}, *lines)
        tell()
        if lost:
            raise Lost()
        return told
    if had != total:
        raise Refusal(422, "idempotency_conflict", "This reference has been used for another content.")
    return 200, again()[1]


def quote(body):
    product = product_of(body.get("product"), body.get("version"))
    if product is None:
        raise Refusal(404, "product_not_found", "There is no such product in this version.")
    total = centimes(body.get("sum"))
    if (body.get("subject") or {}).get("kind") != SUBJECTS[product["line"]]:
        raise invalid("/subject", f"This product insures a {SUBJECTS[product['line']]}.")
    if total is None or total <= 0:
        raise invalid("/sum", "Give a sum above nothing, in MAD.")
    if moment(body.get("end"), "/end") <= moment(body.get("start"), "/start"):
        raise invalid("/end", "The cover ends after it begins.")
    if total % 100 == 1 or total > centimes(product["most"]):
        raise Refusal(422, "refused", "This is not insured here.", "not_insured")
    premium = max((total * product["premium"]["rate_permille"] + 500) // 1000, centimes(product["premium"]["minimum"]))
    taxes = premium - premium * 100 // 114
    it = {
        "id": f"Q{len(known['quotes']) + 1:06}", "ref": body["ref"], "asked": body, "premium": premium, "taxes": taxes,
        "commission": ((premium - taxes) * product["commission_permille"] + 500) // 1000, "until": time.time() + 86400, "used": "",
    }
    return [{"what": "quotes", "it": it}], (201, show_quote(it)), False


def show_quote(q):
    return {
        "id": q["id"], "ref": q["ref"], "premium": mad(q["premium"]), "taxes": mad(q["taxes"]), "commission": mad(q["commission"]),
        "valid_until": stamp(datetime.datetime.fromtimestamp(q["until"], datetime.timezone.utc)), "documents": documents(product_of(q["asked"]["product"], q["asked"]["version"])),
    }


def row(kind, ref, policy, amount, commission=0):
    return {"what": "row", "row": {"period": now().strftime("%Y-%m"), "kind": kind, "ref": ref, "policy": policy, "amount": amount, "commission": commission}}


def bind(body):
    q = next((q for q in known["quotes"].values() if q["id"] == body.get("quote")), None)
    if q is None:
        raise Refusal(404, "quote_not_found", "There is no such quote.")
    consent, paid = body.get("consent") or {}, text(body, "premium_payment_ref", "/premium_payment_ref")
    text(body, "holder", "/holder")
    if not re.fullmatch("[0-9a-f]{64}", str(consent.get("text_hash"))) or moment(consent.get("at"), "/consent/at").year < 2000:
        raise invalid("/consent", "Give the SHA-256 of the text and when it was agreed to.")
    if q["used"] not in ("", body["ref"]):
        raise Refusal(422, "quote_used", "A policy was made of this quote already.")
    if time.time() > q["until"]:
        raise Refusal(422, "quote_expired", "The quote is over; ask for another.")
    magic = centimes(q["asked"]["sum"]) % 100
    if magic == 4:
        raise Refusal(422, "refused", "This policy is not issued.", "underwriter")
    it = {"id": f"P{len(known['policies']) + 1:06}", "ref": body["ref"], "quote": q["ref"], "state": "pending" if magic == 2 else "active", "refund": 0, "at": time.time()}
    lines = [{"what": "quotes", "it": {**q, "used": body["ref"]}}, {"what": "policies", "it": it}, row("premium", paid, it["id"], q["premium"], q["commission"])]
    news("policy.issued", it["ref"])
    return lines, (202 if magic == 2 else 201, show_policy(it)), magic == 3


def show_policy(p):
    q = known["quotes"][p["quote"]]
    return {
        "id": p["id"], "ref": p["ref"], "number": f"EX-{p['id']}", "state": p["state"], "start": q["asked"]["start"], "end": q["asked"]["end"], "refund": mad(p["refund"]),
        "documents": documents(product_of(q["asked"]["product"], q["asked"]["version"])),
    }


def policy_of(name):
    p = next((p for p in known["policies"].values() if p["id"] == name), None)
    if p is None:
        raise Refusal(404, "policy_not_found", "There is no such policy.")
    return p


def cancel(p, body):
    text(body, "reason", "/reason")
    if p["state"] not in ("active", "pending"):
        raise Refusal(409, "not_cancellable", f"A policy that is {p['state']} is not cancelled any more.")
    q = known["quotes"][p["quote"]]
    back = q["premium"] if time.time() < p["at"] + 14 * 86400 else 0
    it = {**p, "state": "cancelled", "refund": back}
    lines = [{"what": "policies", "it": it}]
    if back:
        lines.append(row("refund", body["ref"], p["id"], back, q["commission"]))
    news("policy.cancelled", p["ref"])
    return lines, (200, show_policy(it)), False


def premium(p, body, period):
    q = known["quotes"][p["quote"]]
    if p["state"] != "active":
        raise Refusal(422, "refused", f"A policy that is {p['state']} takes no premium.")
    if centimes(body.get("amount")) != q["premium"]:
        raise invalid("/amount", "It is not the premium.")
    told = {"ref": body["ref"], "policy": p["id"], "period": period}
    return [row("premium", body["ref"], p["id"], q["premium"], q["commission"])], (200, told), False


def claim(body):
    p = policy_of(body.get("policy"))
    amount, asked = centimes(body.get("amount")), known["quotes"][p["quote"]]["asked"]
    text(body, "type", "/type")
    if amount is None or amount <= 0:
        raise invalid("/amount", "Claim more than nothing, in MAD.")
    if p["state"] != "active":
        raise Refusal(422, "refused", f"A policy that is {p['state']} pays nothing.")
    if not moment(asked["start"], "/start") <= moment(body.get("event_at"), "/event_at") <= moment(asked["end"], "/end"):
        raise Refusal(422, "refused", "It happened outside the term of the policy.", "out_of_term")
    it = {"id": f"C{len(known['claims']) + 1:06}", "ref": body["ref"], "policy": p["id"], "state": "notified", "asked": amount, "amount": 0, "asks": [], "reason": ""}
    news("claim.updated", it["ref"])
    return [{"what": "claims", "it": it}], (201, show_claim(it)), amount % 100 == 3


def show_claim(c):
    out = {"id": c["id"], "ref": c["ref"], "policy": c["policy"], "state": c["state"], "asks": c["asks"], "reason": c["reason"]}
    if c["state"] in ("accepted", "paid"):
        out["amount"] = mad(c["amount"])
    if c["state"] == "paid":
        out["transfer_ref"] = "T" + c["id"]
    return out


def observe(p, body):
    product = product_of(*(known["quotes"][p["quote"]]["asked"][k] for k in ("product", "version")))
    trigger = product.get("trigger")
    if trigger is None or body.get("index") != trigger["index"]:
        raise invalid("/index", "This policy pays by no such index.")
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", str(body.get("value"))):
        raise invalid("/value", "Give a decimal.")
    for field in ("source", "place", "period", "signature"):
        text(body, field, "/" + field)
    lines, made = [], None
    if p["state"] == "active" and (Decimal(body["value"]) < Decimal(trigger["threshold"])) == trigger["below"]:
        amount = centimes(trigger["pays"])
        made = {"id": f"C{len(known['claims']) + 1:06}", "ref": body["ref"], "policy": p["id"], "state": "accepted", "asked": amount, "amount": amount, "asks": [], "reason": ""}
        lines = [{"what": "claims", "it": made}, {"what": "policies", "it": {**p, "state": "claimed"}}]
        news("payout.due", body["ref"])
    return lines, (201, {"ref": body["ref"], "policy": p["id"], "claim": made and show_claim(made)}), False


def day_end():
    """Issues what is pending, decides claims and pays what was accepted."""
    lines = []
    for p in known["policies"].values():
        if p["state"] == "pending":
            lines.append({"what": "policies", "it": {**p, "state": "active"}})
            news("policy.issued", p["ref"])
    for c in known["claims"].values():
        p = policy_of(c["policy"])
        product = product_of(*(known["quotes"][p["quote"]]["asked"][k] for k in ("product", "version")))
        owed = max(0, min(c["asked"], centimes(known["quotes"][p["quote"]]["asked"]["sum"])) - centimes(product["excess"]))
        if c["state"] == "accepted":
            lines += [{"what": "claims", "it": {**c, "state": "paid"}}, row("claim", c["ref"], c["policy"], c["amount"])]
            news("payout.sent", c["ref"])
        elif c["state"] == "notified" and c["asked"] % 100 == 2:
            lines.append({"what": "claims", "it": {**c, "state": "review", "asks": ["photo"]}})
            news("claim.updated", c["ref"])
        elif c["state"] in ("notified", "review"):
            if c["asked"] % 100 == 1 or owed == 0:
                lines.append({"what": "claims", "it": {**c, "state": "rejected", "asks": [], "reason": "This is not covered."}})
            else:
                lines.append({"what": "claims", "it": {**c, "state": "accepted", "asks": [], "amount": owed}})
            news("claim.updated", c["ref"])
    if lines:
        write(*lines)
    tell()
    return 200, {}


def statement(period):
    rows = [r for r in known["rows"] if r["period"] == period]
    if not rows:
        raise Refusal(404, "statement_not_found", "There is no statement of this month.")
    total = lambda kind, what: sum(r[what] for r in rows if r["kind"] == kind)
    premiums, commission = total("premium", "amount"), total("premium", "commission") - total("refund", "commission")
    return 200, {
        "id": "S-" + period, "period": period, "premiums": mad(premiums), "commission": mad(commission), "claims": mad(total("claim", "amount")),
        "due": mad(premiums - total("refund", "amount") - commission),
        "rows": [{"kind": r["kind"], "ref": r["ref"], "policy": r["policy"], "amount": mad(r["amount"]), "commission": mad(r["commission"])} for r in rows],
    }


# ---- events: signed with the key of the manifest (Standard Webhooks, v1a)

waiting = []


def news(kind, ref):
    waiting.append((kind, ref))


def tell():
    """Sends what is new, once it is on the disk. An event only saves time: whoever misses it asks all the same."""
    sent, waiting[:] = waiting[:], []
    if EVENTS and sent:
        threading.Thread(target=lambda: [post(*one) for one in sent], daemon=True).start()


def post(kind, ref):
    body = json.dumps({"type": kind, "timestamp": stamp(now()), "data": {"ref": ref}}).encode()
    name, at = f"msg_{uuid.uuid4()}", str(int(time.time()))
    signature = base64.b64encode(sign(bytes.fromhex(known["seed"]), f"{name}.{at}.".encode() + body)).decode()
    headers = {"content-type": "application/json", "webhook-id": name, "webhook-timestamp": at, "webhook-signature": "v1a," + signature}
    for wait in (0, 1, 5, 30):
        time.sleep(wait)
        try:
            urllib.request.urlopen(urllib.request.Request(EVENTS, body, headers), timeout=5).close()
            return
        except OSError:
            pass  # again, later


# ---- HTTP

def manifest():
    return {
        "id": os.environ.get("ID", "insurer-python"), "owner": "Assurance exemple (Python)",
        "capabilities": [{"name": "insurance", "version": "1", "features": ["statements", "observations", "events", "sandbox"]}], "auth": ["bearer"],
        "idempotency_retention": "720h", "rate_limit": {"per_second": 100, "burst": 100},
        "webhook_keys": ["whpk_" + base64.b64encode(public(bytes.fromhex(known["seed"]))).decode()], "sandbox": True,
    }


def asked(path, raw, key):
    """Answers a POST: its reference is its key."""
    try:
        body = json.loads(raw)
        assert isinstance(body, dict)
    except (ValueError, AssertionError):
        raise Refusal(400, "malformed", "This is no JSON object.")
    if path == ["sandbox", "day-end"]:
        return day_end()
    ref = body.get("ref")
    if not isinstance(ref, str) or not REF.fullmatch(ref) or key != f'"{ref}"':
        raise Refusal(400, "idempotency_key", "Idempotency-Key must be the ref of the body, in quotes.")
    if path == ["quotes"]:
        return once("quote", ref, raw, lambda: quote(body), lambda: (200, show_quote(known["quotes"][ref])))
    if path == ["policies"]:
        return once("bind", ref, raw, lambda: bind(body), lambda: (200, show_policy(known["policies"][ref])))
    if path == ["claims"]:
        return once("claim", ref, raw, lambda: claim(body), lambda: (200, show_claim(known["claims"][ref])))
    if len(path) > 2 and path[0] == "policies":
        p = policy_of(path[1])
        if path[2:] == ["cancel"]:
            return once("cancel " + p["id"], ref, raw, lambda: cancel(p, body), lambda: (200, show_policy(policy_of(p["id"]))))
        if path[2:] == ["observations"]:
            made = lambda: known["claims"].get(ref)
            return once("observe " + p["id"], ref, raw, lambda: observe(p, body), lambda: (200, {"ref": ref, "policy": p["id"], "claim": made() and show_claim(made())}))
        if len(path) == 5 and path[2] == "premiums" and path[4] == "confirm":
            return once(f"premium {p['id']} {path[3]}", ref, raw, lambda: premium(p, body, path[3]), lambda: (200, {"ref": ref, "policy": p["id"], "period": path[3]}))
    raise Refusal(404, "not_found", "There is nothing here.")


def shown(path, query):
    ref = query.get("ref", [""])[0]
    if path == ["products"]:
        return 200, {"data": [{**p, "documents": documents(p)} for p in PRODUCTS]}
    if path == ["statements"]:
        return statement(query.get("period", [""])[0])
    if path[0] == "policies" and len(path) < 3:
        p = known["policies"].get(ref) if len(path) == 1 else policy_of(path[1])
        if p is None:
            raise Refusal(404, "policy_not_found", "There is no such policy.")
        return 200, show_policy(p)
    if path == ["claims"]:
        if ref not in known["claims"]:
            raise Refusal(404, "claim_not_found", "There is no such claim.")
        return 200, show_claim(known["claims"][ref])
    raise Refusal(404, "not_found", "There is nothing here.")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        size = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(min(size, MOST + 1))
        if len(raw) < min(size, MOST + 1):
            self.close_connection = True  # half a body is none
            return
        self.answer(raw)

    def let_in(self):
        given = (self.headers.get("authorization") or "").removeprefix("Bearer ").encode()
        return any([hmac.compare_digest(given, t) for t in TOKENS])

    def answer(self, raw):
        url = urllib.parse.urlsplit(self.path)
        path = [urllib.parse.unquote(s) for s in url.path.strip("/").split("/")]
        try:
            if path == [".well-known", "hub-connector"]:
                return self.say(200, manifest())
            if path[0] == "sheets" and len(path) == 2:
                return self.paper(path[1])
            if not self.let_in():
                raise Refusal(401, "unauthenticated", "Sign in with a valid token.")
            if len(raw) > MOST:
                raise Refusal(413, "too_large", "A body has at most 1 MiB.")
            if path[:2] != ["insurance", "v1"] or len(path) < 3:
                raise Refusal(404, "not_found", "There is nothing here.")
            with lock:
                waiting.clear()  # of a request that was refused
                if self.command == "POST":
                    status, body = asked(path[2:], raw, self.headers.get("idempotency-key"))
                else:
                    status, body = shown(path[2:], urllib.parse.parse_qs(url.query))
            self.say(status, body)
        except Lost:
            self.close_connection = True
        except Refusal as r:
            self.refuse(r)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            self.refuse(Refusal(422, "invalid", "A field is not what it must be."))

    def refuse(self, r):
        problem = {"type": "about:blank", "title": r.code.replace("_", " "), "status": r.status, "code": r.code, "detail": r.detail}
        if r.reason:
            problem["reason"] = r.reason
        self.say(r.status, problem, "application/problem+json")

    def paper(self, name):
        for p in PRODUCTS:
            for lang in ("fr", "ar", "en"):
                if name == f"{p['id']}-{lang}.txt":
                    return self.say(200, sheet(p, lang), "text/plain; charset=utf-8")
        raise Refusal(404, "not_found", "There is nothing here.")

    def say(self, status, body, kind="application/json"):
        out = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 64

    def handle_error(self, request, client_address):
        pass  # who hangs up in the middle has nothing to be told


if __name__ == "__main__":
    start(os.environ.get("DATA", "insurer.journal"))
    server = Server(("127.0.0.1", int(os.environ.get("PORT", "0"))), Handler)
    base = f"http://127.0.0.1:{server.server_port}"
    print(base, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
