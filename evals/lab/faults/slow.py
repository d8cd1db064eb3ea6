"""The code of one service becomes slow. Where callers are patient nothing fails; the ledger's caller gives up after 1.5 s."""

VARIANTS = {
    "ledger": {"app": "ledger", "match": "^POST /entries", "endpoint": "POST /entries", "delay_ms": [900, 3200],
               "path": [["payments", "ledger", "POST /entries slow, cut by the caller after 1.5 s"],
                        ["checkout", "payments", "POST /charges 504"], ["gateway", "checkout", "POST /orders 502"],
                        ["client", "gateway", "POST /api/checkout 502"]]},
    "catalogue": {"app": "catalogue", "match": "^GET /products", "endpoint": None, "delay_ms": [250, 700],
                  "path": [["gateway", "catalogue", "GET /products and /products/{id} take 0.25 to 0.7 s more"],
                           ["client", "gateway", "pages of products slow, none fails"]]},
    "shipping": {"app": "shipping", "match": "^POST /shipments", "endpoint": "POST /shipments", "delay_ms": [600, 1400],
                 "path": [["checkout", "shipping", "POST /shipments takes 0.6 to 1.4 s more"],
                          ["gateway", "checkout", "POST /orders slow"], ["client", "gateway", "POST /api/checkout slow, none fails"]]},
}


def truth(cluster, app, endpoint, path, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "slow", "endpoint": endpoint}],
            "path": path, "impact": [path[-1][2]],
            "ruled_out": [s for s in ("ledger-db", "postgres", "redis", "cart", "notifications") if s != app]}


def begin(cluster, app, match, delay_ms, **_):
    cluster.behave(app, [{"match": match, "delay_ms": delay_ms}])


def end(cluster, app, **_):
    cluster.behave(app)
