"""The uplink of one node loses packets: every pod there is hit when it talks to other nodes, and well with its neighbours."""

VARIANTS = {
    "node-2": {"node": "node-2", "rule": "numgen random mod 100 < 14 drop", "what": "14 % of what crosses the node's uplink is lost, each way"},
    "node-3": {"node": "node-3", "rule": "oifname \"eth0\" numgen random mod 100 < 30 drop", "what": "30 % of what the node sends to others is lost"},
}


CALLERS = {"checkout": "gateway", "cart": "gateway", "catalogue": "gateway", "shipping": "gateway", "inventory": "checkout",
           "payments": "checkout", "ledger": "payments", "notifications": "checkout"}


def truth(cluster, node, what, **_):
    there = sorted({p.app for p in cluster.topology.pods if p.node == node} & set(CALLERS))
    return {"verdict": "root_cause",
            "causes": [{"service": None, "namespace": None, "workload": node, "kind": "node_fault", "endpoint": None}],
            "path": [[CALLERS[app], app, f"retransmissions where one end is on {node}"] for app in there]
            + [["client", "gateway", "calls slow, some cut"]],
            "impact": [what], "ruled_out": ["api.bank.example"]}


def begin(cluster, node, rule, **_):
    cluster.firewall(cluster.node_netns(node), rule)


def end(cluster, node, **_):
    cluster.firewall(cluster.node_netns(node))
