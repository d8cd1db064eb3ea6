"""The address of a service leads to the pods of another one (a wrong selector): they answer 404. Connections held before go on for a while."""

VARIANTS = {
    "shipping": {"app": "shipping", "leads_to": "notifications",
                 "path": [["checkout", "shipping", "POST /shipments answered 404 by a pod of notifications"],
                          ["client", "gateway", "orders without a shipment; GET /api/orders/{id} 404"]]},
    "inventory": {"app": "inventory", "leads_to": "cart",
                  "path": [["checkout", "inventory", "POST /reservations answered 404 by the pod of cart"], ["gateway", "checkout", "POST /orders 502"],
                           ["client", "gateway", "POST /api/checkout 502"]]},
}


def truth(cluster, app, leads_to, path):
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": None, "kind": "misroute", "endpoint": None}],
            "path": path, "impact": [path[-1][2]], "ruled_out": [leads_to, "postgres", "ledger", "ledger-db", "redis", "api.bank.example"]}


def begin(cluster, app, leads_to, **_):
    cluster.apply_services({app: [(pod.ip, pod.port) for pod in cluster.topology.pods_of(leads_to)]})


def end(cluster, **_):
    cluster.apply_services()
