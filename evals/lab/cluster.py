"""The running shop, and the levers a fault may pull."""

import json
import os
import signal
import subprocess
import sys
import time
from glob import glob
from pathlib import Path

import network
from network import inside, node_ns, run
from topology import BANK, CLIENT_IPS, DNS_IP, NODES, PUBLIC_IP, Topology

HERE = Path(__file__).resolve().parent
PG_BIN = max(glob("/usr/lib/postgresql/*/bin"), default="")
SCHEMAS = {
    "postgres": ("inventory", """
        CREATE TABLE stock (sku text PRIMARY KEY, quantity int NOT NULL, reserved int NOT NULL DEFAULT 0);
        CREATE TABLE reservations (order_id text PRIMARY KEY, items jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now());
        INSERT INTO stock SELECT 'SKU-' || (1000 + i * 7), 500000 FROM generate_series(0, 15) i;
        ALTER TABLE stock OWNER TO inventory; ALTER TABLE reservations OWNER TO inventory;"""),
    "ledger-db": ("ledger", """
        CREATE TABLE entries (id bigserial PRIMARY KEY, order_id text, account text, amount bigint, at timestamptz NOT NULL DEFAULT now());
        INSERT INTO entries (order_id, account, amount) SELECT 'old-' || i, 'sales', i * 17 FROM generate_series(1, 2000) i;
        ALTER TABLE entries OWNER TO ledger;"""),
}


class Cluster:
    def __init__(self, seed, directory):
        self.seed, self.directory = seed, Path(directory)
        self.topology = Topology(seed)
        self.running = {}  # pod name -> Popen
        self.settings = {}  # pod name -> behaviour
        self.helpers = []
        self.dns_broken = {}  # name -> "servfail", "silent" or "nxdomain"
        self.mix = None  # journey -> share, where not the usual one

    # Life of the lab

    def up(self):
        for part in ("behaviour", "log", "dns", "data"):
            (self.directory / part).mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)
        network.build(self.topology, DNS_IP, BANK[1], CLIENT_IPS, NODES)
        self.apply_services()
        for pod in self.topology.pods:
            if pod.program != "shop":
                self.start(pod)
        self.spawn("bank", network.BANK_NS, [sys.executable, "-m", "shop.bank"], {"POD_NAME": "bank", "LISTEN_PORT": "80"})
        for pod in self.topology.pods:
            if pod.program == "shop":
                self.start(pod)

    def down(self):
        network.remove_all()
        for process in [*self.running.values(), *self.helpers]:
            process.wait()

    # Processes

    def spawn(self, name, netns, command, environment=None):
        log = open(self.directory / "log" / f"{name}.log", "ab")
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1",
               "LAB_SEED": str(self.seed), "BEHAVIOUR_FILE": str(self.directory / "behaviour" / f"{name}.json"), **(environment or {})}
        # The lab shares its machine; a little priority keeps other people's work out of the latencies recorded.
        process = subprocess.Popen(["nice", "-n", "-10", *inside(netns, *command)], env=env, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, start_new_session=True, cwd=HERE)
        log.close()
        self.helpers.append(process)
        return process

    def start(self, pod):
        if pod.program == "shop":
            command = [sys.executable, "-m", f"shop.{pod.app}"]
        elif pod.program == "postgres":
            command = self._prepare_postgres(pod)
        elif pod.program == "redis":
            command = ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--appendonly", "no",
                       "--dir", str(self.directory / "data")]
        else:
            command = self._prepare_dns(pod)
        self.running[pod.name] = self.spawn(pod.name, pod.netns, command, {"POD_NAME": pod.name})

    def stop(self, pod, how=signal.SIGKILL):
        """Ends every process of the pod at once, as when its container is killed. Its address stays."""
        pids = run("ip", "netns", "pids", pod.netns).split()
        for pid in pids:
            try:
                os.kill(int(pid), how)
            except ProcessLookupError:
                pass
        self.running.pop(pod.name).wait()

    def _prepare_postgres(self, pod):
        data = self.directory / "data" / pod.name
        as_postgres = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        if not data.exists():
            data.mkdir(parents=True)
            run("chown", "postgres:", str(data))
            run(*as_postgres, f"{PG_BIN}/initdb", "-D", str(data), "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
            (data / "pg_hba.conf").write_text("local all all trust\nhost all all 0.0.0.0/0 trust\n", encoding="ascii")
            owner, schema = SCHEMAS[pod.app]
            for database, statement in (("postgres", f"CREATE ROLE {owner} LOGIN;\nCREATE DATABASE {owner} OWNER {owner};"), (owner, schema)):
                run(*as_postgres, f"{PG_BIN}/postgres", "--single", "-j", "-D", str(data), database,
                    text="\n\n".join(s.strip() for s in statement.split(";") if s.strip()).replace("\n\n", ";\n\n") + ";\n\n")
        else:
            (data / "postmaster.pid").unlink(missing_ok=True)
        return [*as_postgres, f"{PG_BIN}/postgres", "-D", str(data), "-c", "listen_addresses=*", "-c", f"unix_socket_directories={data}",
                "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=40", "-c", "logging_collector=off"]

    # Levers: behaviour of code

    def behave(self, app, rules=(), settings=None, replica=None):
        """Changes how the pods of an app (or one replica) behave; see shop/service.py. No rules: as usual again."""
        for number, pod in enumerate(self.topology.pods_of(app)):
            if replica in (None, number):
                self._behaviour(pod.name, rules, settings)

    def bank_behaves(self, rules=()):
        self._behaviour("bank", rules, None)

    def load(self, rate_factor=1, mix=None, crowd=None):
        """Changes the shoppers: more or fewer journeys, another mix (journey to share; see load.MIX), and a client that
        asks for one page over and over: {"address": …, "path": …, "rate": requests a second}."""
        mix = mix or self.mix
        self._behaviour("load", (), {"rate_factor": rate_factor, **({"mix": mix} if mix else {}), **({"crowd": crowd} if crowd else {})})

    def _behaviour(self, name, rules, settings):
        path = self.directory / "behaviour" / f"{name}.json"
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"rules": list(rules), "settings": settings or {}}), encoding="utf-8")
        new.rename(path)

    # Levers: network

    def apply_services(self, changed=None):
        """Writes the cluster IPs' translation everywhere. `changed` maps a service to other (ip, port) backends (misroute)."""
        services = self.topology.services
        kept = [s for s in services if s.name not in (changed or {})]
        extra = [(self.topology.service(n).ip, self.topology.service(n).protocol, self.topology.service(n).port, backends)
                 for n, backends in (changed or {}).items()]
        rules = network.translation(kept, extra)
        for pod in self.topology.pods:
            network.load_rules(pod.netns, rules)
        gateways = [(p.ip, p.port) for p in self.topology.pods_of("gateway")]
        network.load_rules(network.CLIENTS, network.translation([], [(PUBLIC_IP, "tcp", 80, gateways)]))

    def firewall(self, netns, *rules):
        """Replaces the lab's filter rules in a namespace, for instance "tcp dport 5432 numgen random mod 100 < 5 drop"
        (loss), "… drop" (black hole), "… reject with tcp reset". They hold for what enters, leaves and passes through. No rules: open."""
        lines = ["table inet fault", "delete table inet fault"]
        if rules:
            lines.append("table inet fault {")
            for chain in ("input", "output", "forward"):
                lines += [f" chain {chain} {{", f"  type filter hook {chain} priority 0;", *[f"  {r}" for r in rules], " }"]
            lines.append("}")
        network.load_rules(netns, "\n".join(lines) + "\n")

    def node_netns(self, node):
        return node_ns(node)

    def limit_cpu(self, pod, share):
        """Gives all processes of a pod at most `share` of one core (0.05 = 5 %); None lifts the limit. cgroup v1 or v2."""
        pids = run("ip", "netns", "pids", pod.netns).split()
        old = Path("/sys/fs/cgroup/cpu")
        group = (old if old.is_dir() else Path("/sys/fs/cgroup")) / f"{network.PREFIX}{pod.name}"
        group.mkdir(exist_ok=True)
        if old.is_dir():
            (group / "cpu.cfs_quota_us").write_text(str(-1 if share is None else int(share * 100_000)))
        else:
            (group / "cpu.max").write_text("max 100000" if share is None else f"{int(share * 100_000)} 100000")
        for pid in pids:
            (group / "cgroup.procs").write_text(pid)

    # Levers: names

    def break_dns(self, name, how):
        """Makes one full name fail: "nxdomain", "servfail" or "silent". None mends it."""
        if how is None:
            self.dns_broken.pop(name, None)
        else:
            self.dns_broken[name] = how
        self._write_dns()
        for pod in self.topology.pods_of("kube-dns"):
            for pid in run("ip", "netns", "pids", pod.netns).split():
                if Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == "dnsmasq":
                    os.kill(int(pid), signal.SIGHUP)

    def _write_dns(self):
        names = [(s.ip, f"{s.name}.{s.namespace}.svc.cluster.local") for s in self.topology.services] + [(BANK[1], BANK[0])]
        good = [f"{ip} {name}" for ip, name in names if name not in self.dns_broken]
        upstream = [f"server=/{name}/127.0.0.1#{5300 if how == 'servfail' else 5301}" for name, how in self.dns_broken.items()
                    if how != "nxdomain"]
        (self.directory / "dns" / "hosts").write_text("\n".join(good) + "\n", encoding="ascii")
        (self.directory / "dns" / "servers").write_text("\n".join(upstream) + "\n", encoding="ascii")

    def _prepare_dns(self, pod):
        self._write_dns()
        self.spawn("dns-upstream", pod.netns, [sys.executable, str(HERE / "dns_upstream.py")])
        return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
                f"--addn-hosts={self.directory}/dns/hosts", f"--servers-file={self.directory}/dns/servers", "--local=/cluster.local/",
                "--local=/example/", "--domain-needed", "--local-ttl=30", "--cache-size=0", "--log-facility=-"]

    # Waiting

    def wait_until_ready(self, seconds=40):
        end = time.monotonic() + seconds
        waiting = list(self.topology.pods)
        probe = ("import socket,sys; s=socket.create_connection((sys.argv[1], int(sys.argv[2])), 1); s.close()")
        while waiting:
            pod = waiting[0]
            port = "53" if pod.program == "dns" else str(pod.port)
            done = subprocess.run(inside(pod.netns, sys.executable, "-S", "-c", probe, pod.ip, port), stderr=subprocess.DEVNULL, check=False)
            if done.returncode == 0:
                waiting.pop(0)
            elif time.monotonic() > end:
                raise SystemExit(f"{pod.name} did not begin to listen: see {self.directory}/log/{pod.name}.log")
            else:
                time.sleep(0.3)
