"""A service fails for some seconds again and again, as under a job that runs by the clock, and is well between."""

VARIANTS = {
    "inventory": {"app": "inventory", "match": "^POST /reservations", "endpoint": "POST /reservations", "during_s": [30, 14], "status": 500,
                  "body": {"error": "lock wait timeout exceeded"},
                  "path": [["checkout", "inventory", "POST /reservations 500 for 14 s of every 30"], ["gateway", "checkout", "POST /orders 502"],
                           ["client", "gateway", "POST /api/checkout 502"]]},
    "catalogue": {"app": "catalogue", "match": "^GET /products", "endpoint": None, "during_s": [40, 10], "status": 503,
                  "body": {"error": "index is being rebuilt"},
                  "path": [["gateway", "catalogue", "GET /products and /products/{id} 503 for 10 s of every 40"], ["client", "gateway", "pages of products 503"]]},
}


def truth(cluster, app, endpoint, path, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "app_error", "endpoint": endpoint}],
            "path": path, "impact": [path[-1][2]], "ruled_out": ["postgres", "ledger", "ledger-db", "redis", "payments", "api.bank.example"]}


def begin(cluster, app, match, during_s, status, body, **_):
    cluster.behave(app, [{"match": match, "during_s": during_s, "status": status, "body": body}])


def end(cluster, app, **_):
    cluster.behave(app)
