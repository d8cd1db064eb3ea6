"""Two faults that have nothing to do with each other, in different branches of the calls, from the same moment on."""

VARIANTS = {
    "products-bank": {"rules": {"catalogue": [{"match": "^GET /products/[^/]+$", "share": 0.5, "status": 500, "body": {"error": "template rendering failed"}}],
                                "api.bank.example": [{"match": "^POST /v1/", "delay_ms": [1500, 3500]}]},
                      "causes": [["catalogue", "app_error", "GET /products/{id}"], ["api.bank.example", "slow", "POST /v1/authorizations"]],
                      "path": [["gateway", "catalogue", "GET /products/{id} 500"], ["client", "gateway", "GET /api/products/{id} 500"],
                               ["payments", "api.bank.example", "POST /v1/authorizations slow, most cut by the caller after 2 s"],
                               ["checkout", "payments", "POST /charges 504"], ["client", "gateway", "POST /api/checkout 502"]]},
    "tracking-cart": {"rules": {"shipping": [{"match": "^GET /shipments/", "status": 500, "body": {"error": "carrier index corrupt"}}],
                                "cart": [{"match": "/carts/", "delay_ms": [400, 1100]}]},
                      "causes": [["shipping", "app_error", "GET /shipments/{id}"], ["cart", "slow", None]],
                      "path": [["gateway", "shipping", "GET /shipments/{id} 500"], ["client", "gateway", "GET /api/orders/{id} 500"],
                               ["gateway", "cart", "every call slow"], ["client", "gateway", "carts and orders slow"]]},
}


def truth(cluster, rules, causes, path):
    return {"verdict": "root_cause",
            "causes": [{"service": service, "namespace": None if "." in service else "shop", "workload": None, "kind": kind, "endpoint": endpoint}
                       for service, kind, endpoint in causes],
            "path": path, "impact": ["two kinds of calls are hit, independently"], "ruled_out": ["postgres", "inventory", "ledger", "ledger-db", "redis"]}


def change(cluster, rules, on):
    for service, found in rules.items():
        if service == "api.bank.example":
            cluster.bank_behaves(found if on else [])
        else:
            cluster.behave(service, found if on else [])


def begin(cluster, rules, **_):
    change(cluster, rules, True)


def end(cluster, rules, **_):
    change(cluster, rules, False)
