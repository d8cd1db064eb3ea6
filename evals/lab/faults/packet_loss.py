"""The network of one pod loses packets at random, in both directions: retransmissions, slow handshakes, a few time-outs."""

VARIANTS = {
    "shipping": {"app": "shipping", "replica": 0, "percent": 12, "callers": ["checkout", "gateway"]},
    "catalogue": {"app": "catalogue", "replica": 1, "percent": 20, "callers": ["gateway", "checkout"]},
}


def truth(cluster, app, replica, percent, callers):
    pod = cluster.topology.pods_of(app)[replica]
    return {"verdict": "root_cause",
            "causes": [{"service": app, "namespace": "shop", "workload": pod.name, "kind": "packet_loss", "endpoint": None}],
            "path": [[caller, app, f"retransmissions to and from {pod.name}"] for caller in callers] + [["client", "gateway", "some calls slow"]],
            "impact": [f"{percent} % of the packets of {pod.name} are lost, each way; calls wait for them to be sent again"],
            "ruled_out": ["postgres", "ledger", "ledger-db", "redis", "api.bank.example"]}


def begin(cluster, app, replica, percent, **_):
    cluster.firewall(cluster.topology.pods_of(app)[replica].netns, f"numgen random mod 100 < {percent} drop")


def end(cluster, app, replica, **_):
    cluster.firewall(cluster.topology.pods_of(app)[replica].netns)
