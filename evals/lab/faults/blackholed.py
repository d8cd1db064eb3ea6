"""What one service sends to another is dropped on the way without a word: no answer, no reset. Others reach both."""

VARIANTS = {
    # In the callee's pod: its packets are seen to arrive.
    "payments-ledger": {"caller": "payments", "callee": "ledger", "where": "pod",
                        "path": [["payments", "ledger", "no answer, new connections get no handshake"], ["checkout", "payments", "POST /charges 504"],
                                 ["gateway", "checkout", "POST /orders 502"], ["client", "gateway", "POST /api/checkout 502"]],
                        "ruled_out": ["ledger-db", "inventory", "cart", "api.bank.example"]},
    # On the callee's node, before its bridge: they are not.
    "cart-redis": {"caller": "cart", "callee": "redis", "where": "node",
                   "path": [["cart", "redis", "commands retransmitted, no answer"], ["gateway", "cart", "no answer within 3 s"],
                            ["client", "gateway", "carts fail with 504"]],
                   "ruled_out": ["inventory", "catalogue", "postgres", "ledger", "kube-dns"]},
}


def truth(cluster, callee, path, ruled_out, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": callee, "namespace": "shop", "workload": None, "kind": "blackholed", "endpoint": None}],
            "path": path, "impact": [path[-1][2]], "ruled_out": ruled_out}


def place(cluster, callee, where):
    pod = cluster.topology.pods_of(callee)[0]
    return pod.netns if where == "pod" else cluster.node_netns(pod.node)


def begin(cluster, caller, callee, where, **_):
    to = cluster.topology.pods_of(callee)[0].ip
    cluster.firewall(place(cluster, callee, where), *(f"ip saddr {pod.ip} ip daddr {to} drop" for pod in cluster.topology.pods_of(caller)))


def end(cluster, callee, where, **_):
    cluster.firewall(place(cluster, callee, where))
