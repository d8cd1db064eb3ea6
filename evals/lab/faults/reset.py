"""A service resets connections in the middle of its answer, on a share of its calls, as when a worker crashes while it writes."""

VARIANTS = {
    "shipping": {"app": "shipping", "match": "^POST /shipments", "endpoint": "POST /shipments", "share": 0.7,
                 "path": [["checkout", "shipping", "POST /shipments reset within the answer"], ["gateway", "checkout", "POST /orders 502"],
                          ["client", "gateway", "POST /api/checkout 502"]]},
    "catalogue": {"app": "catalogue", "match": "^GET /products/", "endpoint": "GET /products/{id}", "share": 0.3,
                  "path": [["gateway", "catalogue", "GET /products/{id} reset within the answer"], ["client", "gateway", "GET /api/products/{id} 502"]]},
}


def truth(cluster, app, endpoint, path, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "reset", "endpoint": endpoint}],
            "path": path, "impact": [path[-1][2]], "ruled_out": ["inventory", "postgres", "ledger", "ledger-db", "redis", "api.bank.example"]}


def begin(cluster, app, match, share, **_):
    cluster.behave(app, [{"match": match, "share": share, "cut": True}])


def end(cluster, app, **_):
    cluster.behave(app)
