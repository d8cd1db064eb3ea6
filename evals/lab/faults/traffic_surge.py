"""Much more traffic from outside: all shoppers at once (the shop bears it), or one client that polls a costly page (it starves others)."""

VARIANTS = {
    "shoppers": {"load": {"rate_factor": 5, "mix": {"browse": 0.8, "fill": 0.1, "checkout": 0.06, "track": 0.04}},
                 "path": [["client", "gateway", "five times as many journeys, most of them browsing"], ["gateway", "catalogue", "five times as many calls"]],
                 "impact": "services carry several times their usual calls", "ruled_out": ["payments", "ledger", "postgres"]},
    "one-client": {"load": {"crowd": {"address": "198.51.100.77", "path": "/api/reports/sales", "rate": 6.5}},
                   "path": [["client", "gateway", "GET /api/reports/sales 6 to 7 times a second, all from 198.51.100.77"],
                            ["gateway", "ledger", "GET /reports/sales takes all connections to the database"],
                            ["payments", "ledger", "POST /entries waits for one, cut by the caller after 1.5 s"],
                            ["checkout", "payments", "POST /charges 504"], ["client", "gateway", "POST /api/checkout 502"]],
                   "impact": "orders fail because the ledger is busy with reports", "ruled_out": ["payments", "checkout", "postgres", "inventory", "cart"]},
}


def truth(cluster, path, impact, ruled_out, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": "outside", "namespace": None, "workload": None, "kind": "traffic_surge", "endpoint": None}],
            "path": path, "impact": [impact], "ruled_out": ruled_out}


def begin(cluster, load, **_):
    cluster.load(**load)


def end(cluster, **_):
    cluster.load()
