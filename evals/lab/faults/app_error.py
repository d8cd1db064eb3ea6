"""All pods of a service answer 500 on one endpoint, to most or to some of its calls; their other endpoints are well."""

VARIANTS = {
    "reserve": {"app": "inventory", "match": "^POST /reservations", "endpoint": "POST /reservations", "share": 0.8,
                "body": {"error": "column \"warehouse\" does not exist", "code": "42703"},
                "path": [["checkout", "inventory", "POST /reservations 500"], ["gateway", "checkout", "POST /orders 502"],
                         ["client", "gateway", "POST /api/checkout 502"]]},
    "cart-items": {"app": "cart", "match": "^POST /carts/", "endpoint": "POST /carts/{id}/items", "share": 0.35,
                   "body": {"error": "AttributeError: 'NoneType' object has no attribute 'quantity'"},
                   "path": [["gateway", "cart", "POST /carts/{id}/items 500"], ["client", "gateway", "POST /api/cart/items 500, and orders of empty carts 422"]]},
}


def truth(cluster, app, endpoint, path, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "app_error", "endpoint": endpoint}],
            "path": path, "impact": [path[-1][2]], "ruled_out": ["postgres", "redis", "payments", "shipping", "api.bank.example"]}


def begin(cluster, app, match, share, body, **_):
    cluster.behave(app, [{"match": match, "share": share, "status": 500, "body": body}])


def end(cluster, app, **_):
    cluster.behave(app)
