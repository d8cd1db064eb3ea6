"""No fault begins: what is always there (404s, rare 500s, the slow report) must not be taken for one.
In the chronic variant there is more of it, from long before the window: an eighth of the pages of products fails and tracking is slow."""

VARIANTS = {
    "": {"always": {}},
    "chronic": {"always": {
        "catalogue": [{"match": "^GET /products/[^/]+$", "share": 0.12, "status": 500, "body": {"error": "image service key missing"}}],
        "shipping": [{"match": "^GET /shipments/", "delay_ms": [400, 900]}]}},
}
TRUTH = {"verdict": "no_anomaly", "causes": [], "path": [], "impact": [],
         "ruled_out": ["ledger", "catalogue", "notifications"]}


def prepare(cluster, always):
    for app, rules in always.items():
        cluster.behave(app, rules)
