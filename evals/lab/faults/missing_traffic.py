"""A new configuration of a caller no longer calls one of its dependencies. Nothing fails and nothing is slow; the calls are gone."""

VARIANTS = {
    "checkout-mail": {"app": "checkout", "setting": {"confirm_by_mail": False}, "callee": "notifications", "endpoint": "POST /emails",
                      "impact": "no confirmation is sent"},
    "catalogue-stock": {"app": "catalogue", "setting": {"show_stock": False}, "callee": "inventory", "endpoint": "GET /stock/{id}",
                        "impact": "products show their stock as unknown"},
}


def truth(cluster, app, callee, endpoint, impact, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "missing_traffic", "endpoint": endpoint}],
            "path": [[app, callee, f"{endpoint} no longer called"]], "impact": [impact],
            "ruled_out": [callee, "gateway", "payments", "ledger", "cart", "redis"]}


def begin(cluster, app, setting, **_):
    cluster.behave(app, settings=setting)


def end(cluster, app, **_):
    cluster.behave(app)
