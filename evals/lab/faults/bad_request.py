"""A new version of a caller names a field otherwise than its callee expects: a healthy callee answers 400 to all such calls."""

VARIANTS = {
    "checkout-inventory": {"app": "checkout", "setting": {"inventory_rename": {"quantity": "qty"}}, "endpoint": "POST /reservations",
                           "callee": "inventory",
                           "path": [["checkout", "inventory", "POST /reservations 400"], ["gateway", "checkout", "POST /orders 502"],
                                    ["client", "gateway", "POST /api/checkout 502"]]},
    "payments-ledger": {"app": "payments", "setting": {"ledger_rename": {"amount": "amount_cents"}}, "endpoint": "POST /entries",
                        "callee": "ledger",
                        "path": [["payments", "ledger", "POST /entries 400"], ["checkout", "payments", "POST /charges 503"],
                                 ["gateway", "checkout", "POST /orders 502"], ["client", "gateway", "POST /api/checkout 502"]]},
}


def truth(cluster, app, callee, endpoint, path, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "bad_request", "endpoint": endpoint}],
            "path": path, "impact": [path[-1][2]], "ruled_out": [callee, "postgres", "ledger-db", "redis", "api.bank.example"]}


def begin(cluster, app, setting, **_):
    cluster.behave(app, settings=setting)


def end(cluster, app, **_):
    cluster.behave(app)
