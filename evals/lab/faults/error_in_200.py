"""One service answers 200 with an error in its body; no status on the way tells of it where it happens."""

VARIANTS = {
    "cart": {"app": "cart", "match": "^POST /carts/", "endpoint": "POST /carts/{id}/items", "share": 0.7,
             "body": {"ok": False, "error": "READONLY You can't write against a read only replica"},
             "path": [["gateway", "cart", "POST /carts/{id}/items 200 with ok false"], ["gateway", "checkout", "POST /orders 422, the cart is empty"],
                      ["client", "gateway", "POST /api/checkout 422"]]},
    "catalogue": {"app": "catalogue", "match": "^GET /products/[^/]+$", "endpoint": "GET /products/{id}", "share": 0.5,
                  "body": {"data": None, "errors": [{"message": "price index unavailable", "path": ["product", "price"]}]},
                  "path": [["gateway", "catalogue", "GET /products/{id} 200 with errors"], ["client", "gateway", "GET /api/products/{id} 200 with errors"]]},
}


def truth(cluster, app, endpoint, path, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "app_error", "endpoint": endpoint}],
            "path": path, "impact": [path[-1][2]], "ruled_out": ["checkout", "redis", "inventory", "postgres", "payments", "ledger", "api.bank.example"]}


def begin(cluster, app, match, share, body, **_):
    cluster.behave(app, [{"match": match, "share": share, "status": 200, "body": body}])


def end(cluster, app, **_):
    cluster.behave(app)
