"""The ledger's booking becomes slow in its code; payments gives up waiting, and checkout fails with it."""

TRUTH = {
    "verdict": "root_cause",
    "causes": [{"service": "ledger", "namespace": "shop", "workload": None, "kind": "slow", "endpoint": "POST /entries"}],
    "path": [["payments", "ledger", "POST /entries slow, cut by the caller after 1.5 s"],
             ["checkout", "payments", "POST /charges 504"],
             ["gateway", "checkout", "POST /orders 502"],
             ["client", "gateway", "POST /api/checkout 502"]],
    "impact": ["most of POST /api/checkout fails at the gateway after more than 1.5 s"],
    "ruled_out": ["payments", "checkout", "ledger-db", "postgres", "inventory", "redis", "cart", "catalogue", "api.bank.example"],
}


def begin(cluster):
    cluster.behave("ledger", [{"match": "^POST /entries", "delay_ms": [900, 3200]}])


def end(cluster):
    cluster.behave("ledger")
