"""Who lives where: nodes, pods, services, outside hosts. Pure data, names drawn from the seed."""

import random
from dataclasses import dataclass, field

from network import PREFIX

NAMESPACE = "shop"
ZONE = "cluster.local"
NODES = ["node-1", "node-2", "node-3"]
DNS_IP = "10.96.0.10"
BANK = ("api.bank.example", "203.0.113.9")
PUBLIC_IP = "203.0.113.80"  # the load balancer of the shop, as clients outside see it
CLIENT_IPS = [f"198.51.100.{n}" for n in (17, 23, 42, 58, 77, 101, 134, 160)]


@dataclass
class Pod:
    app: str
    name: str
    namespace: str
    node: str
    ip: str
    owner: str
    labels: dict
    program: str  # "shop" or the name of the server
    port: int

    @property
    def netns(self):
        return PREFIX + self.name


@dataclass
class Service:
    name: str
    namespace: str
    ip: str
    port: int
    protocol: str = "tcp"
    pods: list = field(default_factory=list)


# app, kind of owner, nodes of its replicas, program, port, versions of its replicas
APPS = [
    ("gateway", "deployment", [1, 2], "shop", 8080, ["v5", "v5"]),
    ("checkout", "deployment", [1, 3], "shop", 8080, ["v12", "v12"]),
    ("cart", "deployment", [2], "shop", 8080, ["v3"]),
    ("catalogue", "deployment", [2, 3], "shop", 8080, ["v7", "v7"]),
    ("inventory", "deployment", [1, 2], "shop", 8080, ["v4", "v4"]),
    ("payments", "deployment", [1, 3], "shop", 8080, ["v9", "v9"]),
    ("ledger", "deployment", [2], "shop", 8080, ["v2"]),
    ("shipping", "deployment", [3], "shop", 8080, ["v6"]),
    ("notifications", "deployment", [1], "shop", 8080, ["v1"]),
    ("postgres", "statefulset", [3], "postgres", 5432, ["15"]),
    ("ledger-db", "statefulset", [2], "postgres", 5432, ["15"]),
    ("redis", "statefulset", [1], "redis", 6379, ["7"]),
    ("kube-dns", "deployment", [3], "dns", 53, ["2.90"]),
]
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


class Topology:
    def __init__(self, seed):
        draw = random.Random(f"topology/{seed}")
        word = lambda size: "".join(draw.choice(ALPHABET) for _ in range(size))
        self.pods, self.services, used = [], [], {n: 1 for n in NODES}
        for number, (app, owner, nodes, program, port, versions) in enumerate(APPS):
            namespace = "kube-system" if app == "kube-dns" else NAMESPACE
            template, pods = word(9), []
            for replica, (at, version) in enumerate(zip(nodes, versions)):
                node = NODES[at - 1]
                used[node] += draw.randint(1, 5)
                name = f"{app}-{replica}" if owner == "statefulset" else f"{app}-{template}-{word(5)}"
                pods.append(Pod(app, name, namespace, node, f"10.1.{at}.{used[node]}", f"{owner}/{app}",
                                {"app": app, "version": version}, program, port))
            ip = DNS_IP if app == "kube-dns" else f"10.96.{1 + number}.{draw.randint(2, 250)}"
            self.services.append(Service(app, namespace, ip, port, "udp" if app == "kube-dns" else "tcp", pods))
            self.pods += pods

    def pods_of(self, app):
        return [p for p in self.pods if p.app == app]

    def service(self, app):
        return next(s for s in self.services if s.name == app)

    def workloads(self, names_of_captures):
        entries = [{"kind": "pod", "name": p.name, "namespace": p.namespace, "node": p.node, "ips": [p.ip], "labels": p.labels,
                    "services": [p.app], "owner": p.owner} for p in self.pods]
        entries += [{"kind": "service", "name": s.name, "namespace": s.namespace, "ips": [s.ip], "labels": {"app": s.name},
                     "ports": [s.port]} for s in self.services]
        entries.append({"kind": "external", "name": BANK[0], "ips": [BANK[1]]})
        return {"format": "rca-agent/capture/1", "cluster": "lab",
                "nodes": [{"name": n, "capture": names_of_captures[n]} for n in NODES], "workloads": entries}
