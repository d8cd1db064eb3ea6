"""A few calls always fail and always did; a new configuration of their caller repeats each of them dozens of times, without a pause."""

VARIANTS = {
    # A quarter of the orders goes by a route of the bank that is down.
    "payments-bank": {"app": "payments", "setting": {"bank_attempts": 25}, "callee": "api.bank.example",
                      "always": {"match": "^POST /v1/", "holding": "ord-[c-f]", "delay_ms": [30, 60], "status": 503,
                                 "body": {"error": "acquirer route down"}},
                      "what": "POST /v1/authorizations repeated up to 25 times after each 503", "impact": "orders that fail do so slowly, the bank gets several times the calls"},
    # A quarter of the orders is archived and not found.
    "gateway-shipping": {"app": "gateway", "setting": {"shipping_attempts": 40}, "callee": "shipping",
                         "always": {"match": "^GET /shipments/ord-[0-3]", "delay_ms": [3, 8], "status": 404, "body": {"error": "no such order"}},
                         "what": "GET /shipments/{id} repeated up to 40 times after each 404", "impact": "shipping gets many times the calls, 404s are slow"},
}


def truth(cluster, app, callee, what, impact, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "retry_storm", "endpoint": None}],
            "path": [[app, callee, what], ["client", "gateway", impact]], "impact": [impact],
            "ruled_out": [callee, "ledger", "postgres", "inventory", "redis"]}


def prepare(cluster, callee, always, **_):
    if callee == "api.bank.example":
        cluster.bank_behaves([always])
    else:
        cluster.behave(callee, [always])


def begin(cluster, app, setting, **_):
    cluster.behave(app, settings=setting)


def end(cluster, app, **_):
    cluster.behave(app)
