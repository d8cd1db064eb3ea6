"""A pod needs more CPU than its limit gives it: each request costs more than before and is throttled, all endpoints and probes wait."""

VARIANTS = {
    "catalogue": {"app": "catalogue", "replica": 0, "share": 0.04, "busy_ms": 16, "caller": "gateway"},
    "cart": {"app": "cart", "replica": 0, "share": 0.05, "busy_ms": 22, "caller": "gateway"},
}


def truth(cluster, app, replica, caller, **_):
    pod = cluster.topology.pods_of(app)[replica]
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": pod.name, "kind": "saturation", "endpoint": None}],
            "path": [[caller, app, f"every endpoint of {pod.name} slow, the more the busier it is"], ["client", "gateway", "slow"]],
            "impact": [f"all that {pod.name} answers is slow, its health probes too"],
            "ruled_out": ["redis", "postgres", "ledger", "ledger-db", "api.bank.example"]}


def begin(cluster, app, replica, share, busy_ms, **_):
    cluster.behave(app, [{"match": "", "busy_ms": busy_ms}], replica=replica)
    cluster.limit_cpu(cluster.topology.pods_of(app)[replica], share)


def end(cluster, app, replica, **_):
    cluster.behave(app)
    cluster.limit_cpu(cluster.topology.pods_of(app)[replica], None)
