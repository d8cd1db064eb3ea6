"""A limit of rate is set too low: what exceeds it is answered 429 with Retry-After."""

VARIANTS = {
    "bank": {"callee": "api.bank.example", "endpoint": "POST /v1/authorizations", "match": "^POST /v1/", "spare": [2, 30],
             "path": [["payments", "api.bank.example", "POST /v1/authorizations 429"], ["checkout", "payments", "POST /charges 502"],
                      ["gateway", "checkout", "POST /orders 502"], ["client", "gateway", "POST /api/checkout 502"]]},
    "catalogue": {"callee": "catalogue", "endpoint": "GET /products/{id}", "match": "^GET /products/", "spare": [4, 20],
                  "path": [["gateway", "catalogue", "GET /products/{id} 429"], ["client", "gateway", "GET /api/products/{id} 429"]]},
}


def truth(cluster, callee, endpoint, path, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": callee, "namespace": None if "." in callee else "shop", "workload": None, "kind": "rate_limit",
                        "endpoint": endpoint}],
            "path": path, "impact": [path[-1][2]], "ruled_out": ["inventory", "postgres", "ledger", "ledger-db", "redis", "cart"]}


def change(cluster, callee, rules):
    if callee == "api.bank.example":
        cluster.bank_behaves(rules)
    else:
        cluster.behave(callee, rules)


def begin(cluster, callee, match, spare, **_):
    change(cluster, callee, [{"match": match, "spare": spare, "status": 429, "body": {"error": "rate limit exceeded"},
                              "headers": {"Retry-After": "10"}}])


def end(cluster, callee, **_):
    change(cluster, callee, [])
