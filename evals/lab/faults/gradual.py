"""A service becomes slower by and by, over one and a half to two minutes, as when a cache or a table outgrows its memory; nothing jumps."""

VARIANTS = {
    "shipping": {"app": "shipping", "match": "shipments", "delay_ms": [900, 1700], "grow_s": 100,
                 "path": [["checkout", "shipping", "POST /shipments ever slower"], ["gateway", "shipping", "GET /shipments/{id} ever slower"],
                          ["client", "gateway", "orders and their tracking ever slower"]]},
    "inventory": {"app": "inventory", "match": "^(GET /stock|POST /reservations)", "delay_ms": [500, 900], "grow_s": 120,
                  "path": [["catalogue", "inventory", "GET /stock/{id} ever slower"], ["checkout", "inventory", "POST /reservations ever slower"],
                           ["client", "gateway", "pages of products and orders ever slower"]]},
}


def truth(cluster, app, path, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "slow", "endpoint": None}],
            "path": path, "impact": [path[-1][2]], "ruled_out": ["postgres", "ledger", "ledger-db", "redis", "api.bank.example"]}


def begin(cluster, app, match, delay_ms, grow_s, **_):
    cluster.behave(app, [{"match": match, "delay_ms": delay_ms, "grow_s": grow_s}])


def end(cluster, app, **_):
    cluster.behave(app)
