"""A backing store dies hard (as by the OOM killer) and does not come back for a while: connections are refused."""

VARIANTS = {
    "redis": {"app": "redis", "path": [["cart", "redis", "connection closed, then refused"], ["gateway", "cart", "502 on every call"],
                                       ["checkout", "cart", "GET /carts/{id} 502"], ["client", "gateway", "carts fail with 502, orders with 422"]]},
    "ledger-db": {"app": "ledger-db", "path": [["ledger", "ledger-db", "connections closed, then refused"], ["payments", "ledger", "POST /entries 500"],
                                               ["checkout", "payments", "POST /charges 503"], ["gateway", "checkout", "POST /orders 502"],
                                               ["client", "gateway", "POST /api/checkout 502"]]},
}


def truth(cluster, app, path):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": f"{app}-0", "kind": "refused", "endpoint": None}],
            "path": path, "impact": [path[-1][2]], "ruled_out": ["postgres", "inventory", "catalogue", "kube-dns"]}


def begin(cluster, app, **_):
    for pod in cluster.topology.pods_of(app):
        cluster.stop(pod)


def end(cluster, app, **_):
    for pod in cluster.topology.pods_of(app):
        cluster.start(pod)
