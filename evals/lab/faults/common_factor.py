"""One endpoint fails for one value of something only: a product, or a client's address. All other calls of it are well."""

VARIANTS = {
    "sku": {"app": "catalogue", "match": "^GET /products/SKU-1049$", "holding": "", "endpoint": "GET /products/{id}",
            "body": {"error": "cannot parse price of SKU-1049"}, "factor": "SKU-1049",
            "path": [["gateway", "catalogue", "GET /products/SKU-1049 500"], ["client", "gateway", "GET /api/products/SKU-1049 500"]]},
    "client": {"app": "cart", "match": "/carts/", "holding": "^198\\.51\\.100\\.42$", "endpoint": None,
               "body": {"error": "geo lookup failed: no record"}, "factor": "X-Forwarded-For 198.51.100.42",
               "path": [["gateway", "cart", "500 to requests forwarded for 198.51.100.42"], ["client", "gateway", "carts fail for that client with 500"]]},
}


def truth(cluster, app, endpoint, factor, path, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "app_error", "endpoint": endpoint}],
            "path": path, "impact": [f"only calls with {factor} fail"], "ruled_out": ["postgres", "inventory", "redis", "payments", "ledger", "api.bank.example"]}


def begin(cluster, app, match, holding, body, **_):
    cluster.behave(app, [{"match": match, "holding": f"(?m){holding}", "status": 500, "body": body}])


def end(cluster, app, **_):
    cluster.behave(app)
