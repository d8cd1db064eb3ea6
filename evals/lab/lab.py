#!/usr/bin/env python3
"""Starts the shop, loads it, injects one fault, and records every node's packets. See README.md beside this file.

    lab.py record FAULT[:VARIANT] OUT [--seed N] [--seconds S] [--onset S] [--lasts S] [--rate R] [--zone ZONE]
    lab.py check OUT          what a recording shows, by tshark
    lab.py cleanup            removes what a killed run left behind
    lab.py faults             lists what can be injected
"""

import argparse
import datetime
import fcntl
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import network
from cluster import HERE, Cluster
from network import inside, node_ns
from topology import CLIENT_IPS, NODES, PUBLIC_IP

STATE = Path("/var/tmp") / network.INSTANCE
LOCK = STATE.with_suffix(".lock")
WARM_UP = 8  # seconds of traffic before the recording begins
TAIL = 4  # seconds of the recording after the last whole minute


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fault_of(name):
    module, _, variant = name.partition(":")
    fault = importlib.import_module(f"faults.{module.replace('-', '_')}")
    variants = getattr(fault, "VARIANTS", None)
    if variants and variant not in variants:
        raise SystemExit(f"{module} has the variants {', '.join(variants)}: choose one as {module}:VARIANT")
    return fault, (variants or {}).get(variant, {})


def say(text):
    print(f"{datetime.datetime.now(datetime.UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def record(args):
    fault, keywords = fault_of(args.fault)
    out = Path(args.out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    lock = open(LOCK, "w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit("another recording is under way: one at a time, or RCALAB=2 in the environment for a second lab") from None
    cleanup()
    cluster = Cluster(args.seed, STATE)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    try:
        say("starting the shop")
        cluster.up()
        cluster.wait_until_ready()
        for node in NODES:
            targets = [f"{p.ip}:{p.port}" for p in cluster.topology.pods if p.node == node and p.program == "shop"]
            cluster.spawn(f"probes-{node}", node_ns(node), [sys.executable, "probes.py", str(args.probe_period), *targets])
        if args.mix:
            cluster.mix = {name: float(share) for name, _, share in (part.partition("=") for part in args.mix.split(","))}
            cluster.load()
        if hasattr(fault, "prepare"):
            fault.prepare(cluster, **keywords)
        # People ask about whole minutes: a recording that ends just after one lets the window hold all that happened.
        time.sleep((TAIL - time.time() - WARM_UP - args.seconds) % 60)
        load = cluster.spawn("load", network.CLIENTS, [sys.executable, "load.py", str(args.seed), str(args.rate),
                                                       str(args.seconds + WARM_UP), PUBLIC_IP, ",".join(CLIENT_IPS)])
        time.sleep(WARM_UP)
        raw = {node: STATE / f"{node}.pcap" for node in NODES}
        dumps = [cluster.spawn(f"tcpdump-{node}", node_ns(node), ["tcpdump", "-i", "cni0", "-s", "0", "-B", "8192", "-Z", "root", "-n",
                                                                  "-w", str(path)]) for node, path in raw.items()]
        began = time.time()
        say(f"recording for {args.seconds} s")
        onset = mended = None
        if hasattr(fault, "begin"):
            time.sleep(max(0, began + args.onset - time.time()))
            onset = time.time()
            fault.begin(cluster, **keywords)
            say(f"{args.fault} began")
            if args.lasts and hasattr(fault, "end"):
                time.sleep(max(0, onset + args.lasts - time.time()))
                fault.end(cluster, **keywords)
                mended = time.time()
                say(f"{args.fault} mended")
        time.sleep(max(0, began + args.seconds - time.time()))
        ended = time.time()
        for dump in dumps:
            os.kill(dump.pid, signal.SIGINT)
        for dump in dumps:
            dump.wait()
        load.wait()
        truth = fault.truth(cluster, **keywords) if hasattr(fault, "truth") else fault.TRUTH
        names = {node: f"{node}.pcap.zst" for node in NODES}
        for node, path in raw.items():
            subprocess.run(["zstd", "-19", "-q", "-f", str(path), "-o", str(out / names[node])], check=True)
        write(out / "workloads.json", cluster.topology.workloads(names))
        write(out / "truth.json", describe(args, truth, began, ended, onset, mended))
        commands = f"lab.py record {args.fault} {out.name} --seed {args.seed}" + (f" --mix {args.mix}" if args.mix else "")
        (out / "README.md").write_text(
            f"# {out.name}\n\nWhat: {(fault.__doc__ or '').strip()}\n"
            f"When: {utc(began)} to {utc(ended)}" + (f", fault from {utc(onset)}" if onset else "")
            + (f" to {utc(mended)}" if mended else "") + ".\n"
            f"How: `{commands} --seconds {args.seconds:g} --onset {args.onset:g} --lasts {args.lasts:g} --rate {args.rate:g}` in "
            "`evals/lab`; real processes and packets, tokens and cards are made up.\n", encoding="utf-8")
        total = sum(f.stat().st_size for f in out.iterdir())
        say(f"{out}: {total / 1e6:.2f} MB")
    finally:
        cluster.down()
        remove_groups()
        if args.keep_logs:
            shutil.rmtree(args.keep_logs, ignore_errors=True)
            shutil.copytree(STATE / "log", args.keep_logs)
        shutil.rmtree(STATE, ignore_errors=True)


def write(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def describe(args, truth, began, ended, onset, mended):
    """The recorded truth. `ask` is the window a person would give, on whole minutes, in UTC; `zone` is where that person is."""
    minute = lambda t: utc(t // 60 * 60).replace(".000Z", "Z")
    since = onset - 10 if onset else began + 130
    until = min((mended or ended) + 60, ended)
    path = [{"from": a, "to": b, "what": what} for a, b, what in truth["path"]]
    return {"format": "rca-agent/truth/1", "fault": args.fault, "seed": args.seed, **truth, "path": path,
            "recorded": {"start": utc(began), "end": utc(ended)}, "onset": utc(onset) if onset else None,
            "mended": utc(mended) if mended else None,
            "ask": {"question": args.question, "since": minute(since), "until": minute(until), "zone": args.zone}}


def remove_groups():
    for group in [*Path("/sys/fs/cgroup/cpu").glob(f"{network.PREFIX}*"), *Path("/sys/fs/cgroup").glob(f"{network.PREFIX}*")]:
        try:
            group.rmdir()
        except OSError:
            pass


def cleanup():
    removed = network.remove_all()
    remove_groups()
    shutil.rmtree(STATE, ignore_errors=True)
    return removed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    recorder = commands.add_parser("record")
    recorder.add_argument("fault")
    recorder.add_argument("out")
    recorder.add_argument("--seed", type=int, default=1)
    recorder.add_argument("--seconds", type=float, default=260)
    recorder.add_argument("--onset", type=float, default=140)
    recorder.add_argument("--lasts", type=float, default=95, help="0: to the end")
    recorder.add_argument("--rate", type=float, default=1.0, help="journeys a second")
    recorder.add_argument("--mix", help="shares of the journeys, as browse=0.5,fill=0.2,checkout=0.2,track=0.1")
    recorder.add_argument("--probe-period", type=float, default=20)
    recorder.add_argument("--zone", default="Asia/Jerusalem")
    recorder.add_argument("--question", default="Why do customers get errors at checkout?")
    recorder.add_argument("--keep-logs", help="copy the processes' logs to this directory")
    commands.add_parser("check").add_argument("out")
    commands.add_parser("cleanup")
    commands.add_parser("faults")
    args = parser.parse_args()
    if args.command == "faults":
        for path in sorted((HERE / "faults").glob("[a-z]*.py")):
            fault = importlib.import_module(f"faults.{path.stem}")
            for variant in getattr(fault, "VARIANTS", {"": {}}):
                print(f"{path.stem.replace('_', '-')}{':' * bool(variant)}{variant}  {(fault.__doc__ or '').splitlines()[0]}")
    elif args.command == "check":
        import check
        check.check(Path(args.out))
    elif os.geteuid() != 0:
        raise SystemExit("the lab makes network namespaces: run it as root")
    elif args.command == "cleanup":
        print(f"removed {cleanup()} namespaces")
    else:
        record(args)


if __name__ == "__main__":
    main()
