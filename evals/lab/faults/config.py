"""A new configuration of a caller gives its calls a time-out of a few milliseconds: it hangs up on a callee that is as quick as ever."""

VARIANTS = {
    "checkout-payments": {"app": "checkout", "setting": {"payments_timeout": 0.06}, "callee": "payments",
                          "path": [["checkout", "payments", "POST /charges cut by the caller after 60 ms"], ["gateway", "checkout", "POST /orders 504"],
                                   ["client", "gateway", "POST /api/checkout 504"]]},
    "gateway-catalogue": {"app": "gateway", "setting": {"catalogue_timeout": 0.006}, "callee": "catalogue",
                          "path": [["gateway", "catalogue", "cut by the caller after 6 ms"], ["client", "gateway", "many GET /api/products 504"]]},
}


def truth(cluster, app, callee, path, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "config", "endpoint": None}],
            "path": path, "impact": [path[-1][2]], "ruled_out": [callee, "postgres", "ledger-db", "redis", "inventory"]}


def begin(cluster, app, setting, **_):
    cluster.behave(app, settings=setting)


def end(cluster, app, **_):
    cluster.behave(app)
