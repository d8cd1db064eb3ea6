"""The bank, outside the cluster, answers 503 to most authorizations or becomes slow; everything inside is well."""

VARIANTS = {
    "503": {"rule": {"share": 0.85, "delay_ms": [5, 30], "status": 503, "body": {"error": "service temporarily unavailable"}},
            "kind": "app_error", "what": "POST /v1/authorizations 503"},
    "slow": {"rule": {"share": 0.8, "delay_ms": [1300, 3500]}, "kind": "slow",
             "what": "POST /v1/authorizations slow, some cut by the caller after 2 s"},
}


def truth(cluster, kind, what, **_):
    return {"verdict": "root_cause",
            "causes": [{"service": "api.bank.example", "namespace": None, "workload": None, "kind": kind, "endpoint": "POST /v1/authorizations"}],
            "path": [["payments", "api.bank.example", what], ["checkout", "payments", "POST /charges fails or slow"],
                     ["gateway", "checkout", "POST /orders fails or slow"], ["client", "gateway", "POST /api/checkout fails or slow"]],
            "impact": ["most orders fail or are slow"],
            "ruled_out": ["payments", "checkout", "ledger", "ledger-db", "inventory", "postgres"]}


def begin(cluster, rule, **_):
    cluster.bank_behaves([{"match": "^POST /v1/", **rule}])


def end(cluster, **_):
    cluster.bank_behaves()
