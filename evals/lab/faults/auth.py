"""A credential of payments expires: the bank, or the ledger, refuses all its calls from then on, quickly and with a clear status."""

VARIANTS = {
    "bank": {"callee": "api.bank.example", "endpoint": "POST /v1/authorizations", "rule": {
        "match": "^POST /v1/", "holding": "demo-bank-key-0001", "status": 401,
        "body": {"error": "invalid_token", "error_description": "the access token expired"},
        "headers": {"WWW-Authenticate": "Bearer error=\"invalid_token\""}}},
    "ledger": {"callee": "ledger", "endpoint": "POST /entries", "rule": {
        "match": "^POST /entries", "holding": "demo-service-payments-01", "status": 403, "body": {"error": "service token expired"}}},
}


def truth(cluster, callee, endpoint, rule):
    return {"verdict": "root_cause",
            "causes": [{"service": "payments", "namespace": "shop", "workload": None, "kind": "auth", "endpoint": endpoint}],
            "path": [["payments", callee, f"{endpoint} {rule['status']}"], ["checkout", "payments", "POST /charges 502 or 503"],
                     ["gateway", "checkout", "POST /orders 502"], ["client", "gateway", "POST /api/checkout 502"]],
            "impact": ["every order fails at the payment"],
            "ruled_out": ["checkout", "inventory", "postgres", "ledger-db", "cart", "shipping"]}


def begin(cluster, callee, rule, **_):
    if callee == "ledger":
        cluster.behave("ledger", [rule])
    else:
        cluster.bank_behaves([rule])


def end(cluster, callee, **_):
    if callee == "ledger":
        cluster.behave("ledger")
    else:
        cluster.bank_behaves()
