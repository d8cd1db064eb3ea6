"""One pod of a service answers 500 to everything but its probes; its sibling is well."""

VARIANTS = {
    "payments": {"app": "payments", "replica": 1, "match": "^POST /charges", "caller": "checkout", "shown": 502},
    "catalogue": {"app": "catalogue", "replica": 0, "match": "^GET /pr", "caller": "gateway", "shown": 500},
}


def truth(cluster, app, replica, match, caller, shown):
    pod = cluster.topology.pods_of(app)[replica]
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": pod.name, "kind": "bad_replica", "endpoint": None}],
            "path": [[caller, app, f"500 from {pod.name} only"], ["client", "gateway", f"{shown}"]],
            "impact": [f"about half of the calls to {app} fail"],
            "ruled_out": ["postgres", "inventory", "ledger", "ledger-db", "redis", "cart", "shipping"]}


def begin(cluster, app, replica, match, **_):
    cluster.behave(app, [{"match": match, "status": 500, "body": {"error": "NullReferenceException"}}], replica=replica)


def end(cluster, app, **_):
    cluster.behave(app)
