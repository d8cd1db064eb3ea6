"""The network of the lab: one namespace a node with a bridge, one a pod, routers between; the host's own network is not touched.

    outside clients --+                       +-- node-1: uplink, routes, cni0 10.1.1.1/24 -- pods
                      +-- fabric (router) ----+-- node-2 …
    api.bank.example -+                       +-- node-3 …

A pod reaches a service by its cluster IP; the translation to a pod's IP happens in the caller's own
namespace (as with a socket-level load balancer), so the wire shows pod IPs only and no call twice on
one node. A frame between pods of one node passes its bridge once; one between nodes passes both bridges.
"""

import os
import subprocess

# Two labs on one machine differ in this (RCALAB=2 in the environment): namespaces and files, never addresses.
INSTANCE = "rcalab" + os.environ.get("RCALAB", "")
PREFIX = INSTANCE + "-"
FABRIC = PREFIX + "fabric"
CLIENTS = PREFIX + "clients"
BANK_NS = PREFIX + "bank"


def run(*command, check=True, text=None):
    done = subprocess.run(command, check=False, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stdout.strip()}\n{text or ''}")
    return done.stdout


def inside(netns, *command):
    return ["ip", "netns", "exec", netns, *command]


def node_ns(node):
    return PREFIX + node


def batch(netns, lines):
    run("ip", "-n", netns, "-batch", "-", text="\n".join(lines) + "\n")


def add_namespace(name, nameserver=None, search=()):
    """A namespace without IPv6, and without TCP timestamps: they cost an eighth of a compressed recording and tell nothing here."""
    if nameserver:
        os.makedirs(f"/etc/netns/{name}", exist_ok=True)
        with open(f"/etc/netns/{name}/resolv.conf", "w", encoding="ascii") as file:
            file.write(f"nameserver {nameserver}\nsearch {' '.join(search)}\noptions ndots:5 timeout:2 attempts:2\n")
    run("ip", "netns", "add", name)
    run(*inside(name, "sh", "-c", "cd /proc/sys/net; echo 1 > ipv6/conf/all/disable_ipv6; echo 1 > ipv6/conf/default/disable_ipv6; "
                                  "echo 1 > ipv4/ip_forward; echo 0 > ipv4/tcp_timestamps"))
    batch(name, ["link set lo up"])


def link(a, a_dev, a_ip, b, b_dev, b_ip=None, bridge=None):
    run("ip", "link", "add", a_dev, "netns", a, "type", "veth", "peer", "name", b_dev, "netns", b)
    batch(a, [f"addr add {a_ip} dev {a_dev}", f"link set {a_dev} up"])
    lines = [f"link set {b_dev} up"]
    if b_ip:
        lines.append(f"addr add {b_ip} dev {b_dev}")
    if bridge:
        lines.append(f"link set {b_dev} master {bridge}")
    batch(b, lines)


def build(topology, dns_ip, bank_ip, client_ips, nodes):
    add_namespace(FABRIC)
    for number, node in enumerate(nodes, 1):
        name = node_ns(node)
        add_namespace(name)
        batch(name, ["link add cni0 type bridge mcast_snooping 0", f"addr add 10.1.{number}.1/24 dev cni0", "link set cni0 up"])
        link(name, "eth0", f"192.168.77.{number * 4 + 2}/30", FABRIC, f"n{number}", f"192.168.77.{number * 4 + 1}/30")
        batch(name, [f"route add default via 192.168.77.{number * 4 + 1}"])
        batch(FABRIC, [f"route add 10.1.{number}.0/24 via 192.168.77.{number * 4 + 2}"])
    for pod in topology.pods:
        search = (f"{pod.namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local")
        add_namespace(pod.netns, dns_ip, search)
        number = nodes.index(pod.node) + 1
        link(pod.netns, "eth0", f"{pod.ip}/24", node_ns(pod.node), "v" + pod.ip.rsplit(".", 1)[1], bridge="cni0")
        batch(pod.netns, [f"route add default via 10.1.{number}.1"])
    add_namespace(CLIENTS)
    link(CLIENTS, "eth0", f"{client_ips[0]}/24", FABRIC, "clients", "198.51.100.1/24")
    batch(CLIENTS, [f"addr add {ip}/24 dev eth0" for ip in client_ips[1:]] + ["route add default via 198.51.100.1"])
    add_namespace(BANK_NS)
    link(BANK_NS, "eth0", f"{bank_ip}/24", FABRIC, "bank", "203.0.113.1/24")
    batch(BANK_NS, ["route add default via 203.0.113.1"])


def translation(services, extra=()):
    """The rules that turn a cluster IP into one of its pods, in turn for each new connection: a few of them reach every replica."""
    lines = ["table ip services", "delete table ip services", "table ip services {", " chain output {",
             "  type nat hook output priority -100;"]
    for ip, protocol, port, backends in [(s.ip, s.protocol, s.port, [(p.ip, p.port) for p in s.pods]) for s in services] + list(extra):
        if not backends:
            lines.append(f"  ip daddr {ip} {protocol} dport {port} reject")
        elif len(backends) == 1:
            lines.append(f"  ip daddr {ip} {protocol} dport {port} dnat to {backends[0][0]}:{backends[0][1]}")
        else:
            choices = ", ".join(f"{i} : {b[0]} . {b[1]}" for i, b in enumerate(backends))
            lines.append(f"  ip daddr {ip} {protocol} dport {port} dnat to numgen inc mod {len(backends)} map {{ {choices} }}")
    return "\n".join(lines + [" }", "}"]) + "\n"


def load_rules(netns, rules):
    run(*inside(netns, "nft", "-f", "-"), text=rules)


def ours():
    return [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.startswith(PREFIX)]


def remove_all():
    """Ends every process inside the lab's namespaces (only those can be there) and removes the namespaces."""
    names = ours()
    for name in names:
        for pid in run("ip", "netns", "pids", name, check=False).split():
            try:
                os.kill(int(pid), 9)
            except (ProcessLookupError, ValueError):
                pass
    for name in names:
        run("ip", "netns", "del", name, check=False)
        path = f"/etc/netns/{name}"
        if os.path.isdir(path):
            for file in os.listdir(path):
                os.unlink(os.path.join(path, file))
            os.rmdir(path)
    return len(names)
