"""PostgreSQL of the inventory dies hard (as by the OOM killer) and does not come back for a while: connections are refused."""

TRUTH = {
    "verdict": "root_cause",
    "causes": [{"service": "postgres", "namespace": "shop", "workload": "postgres-0", "kind": "refused", "endpoint": None}],
    "path": [["inventory", "postgres", "connections closed, then refused"],
             ["checkout", "inventory", "POST /reservations 503"],
             ["gateway", "checkout", "POST /orders 502"],
             ["client", "gateway", "POST /api/checkout 502"]],
    "impact": ["POST /api/checkout fails at the gateway with 502", "catalogue shows stock as unknown but answers 200"],
    "ruled_out": ["payments", "ledger", "ledger-db", "redis", "cart", "catalogue", "shipping", "notifications", "kube-dns", "api.bank.example"],
}


def begin(cluster):
    for pod in cluster.topology.pods_of("postgres"):
        cluster.stop(pod)


def end(cluster):
    for pod in cluster.topology.pods_of("postgres"):
        cluster.start(pod)
