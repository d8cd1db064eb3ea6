"""The cluster's DNS fails for one name; who holds a connection goes on for a while, new connections fail."""

VARIANTS = {
    "payments-servfail": {"name": "payments", "how": "servfail", "caller": "checkout"},
    "shipping-silent": {"name": "shipping", "how": "silent", "caller": "checkout"},
}


def truth(cluster, name, how, caller):
    return {"verdict": "root_cause",
            "causes": [{"service": "kube-dns", "namespace": "kube-system", "workload": None, "kind": "dns", "endpoint": None}],
            "path": [[caller, "kube-dns", f"lookup of {name}.shop.svc.cluster.local: {how}"], ["gateway", caller, "502 or cut"],
                     ["client", "gateway", "502 or 504"]],
            "impact": [f"{caller} cannot reach {name}"],
            "ruled_out": [name, "postgres", "inventory", "ledger", "catalogue", "api.bank.example"]}


def begin(cluster, name, how, **_):
    cluster.break_dns(f"{name}.shop.svc.cluster.local", how)


def end(cluster, name, **_):
    cluster.break_dns(f"{name}.shop.svc.cluster.local", None)
