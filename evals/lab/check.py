"""Tells what a recording shows, by tshark: per edge the calls, failures and latency before, during and after the fault."""

import datetime
import json
import subprocess
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

PERIODS = ("before", "during", "after")
USUAL = (402, 404)  # declined cards, retired products, mistyped orders: in every recording


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def rows(pcap, display_filter, *fields):
    command = ["tshark", "-n", "-r", str(pcap), "-Y", display_filter, "-T", "fields", "-E", "occurrence=f"]
    for field in fields:
        command += ["-e", field]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def check(directory):
    truth = json.loads((directory / "truth.json").read_text(encoding="utf-8"))
    listed = json.loads((directory / "workloads.json").read_text(encoding="utf-8"))
    names = {ip: w["labels"]["app"] if w["kind"] == "pod" else w["name"] for w in listed["workloads"] if w["kind"] != "service"
             for ip in w["ips"]}
    onset = seconds(truth["onset"]) if truth["onset"] else float("inf")
    mended = seconds(truth["mended"]) if truth["mended"] else float("inf")
    period = lambda at: 0 if at < onset else 1 if at < mended else 2
    who = lambda ip: names.get(ip) or ("kubelet" if ip.endswith(".1") else "client")
    calls, refused, resets, rcodes, packets, seen = defaultdict(lambda: [[], [], []]), Counter(), Counter(), Counter(), 0, set()
    per_minute = defaultdict(Counter)
    start = seconds(truth["recorded"]["start"])

    def first_time(*key):
        """Traffic between nodes is recorded at both: counted once."""
        if key in seen:
            return False
        seen.add(key)
        return True

    with tempfile.TemporaryDirectory() as scratch:
        for node in listed["nodes"]:
            pcap = Path(scratch) / f"{node['name']}.pcap"
            subprocess.run(["zstd", "-dqf", str(directory / node["capture"]), "-o", str(pcap)], check=True)
            found = rows(pcap, "http.response", "frame.time_epoch", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "tcp.seq_raw",
                         "http.response.code", "http.time", "http.response_for.uri")
            for at, src, dst, sport, dport, seq, code, took, uri in found:
                if not first_time("http", src, dst, sport, dport, seq):
                    continue
                path = "/".join(uri.split("?")[0].split("/")[3:])
                parts = [part for part in path.split("/") if part != "api"] or ["?"]
                edge = ("kubelet", "all", "/healthz") if path == "healthz" else (who(dst), who(src), f"/{parts[0]}")
                calls[edge][period(float(at))].append((int(code), float(took or 0) * 1000))
                if edge[1] == "gateway" and edge[0] == "client":
                    per_minute[int((float(at) - start) // 60)][code[0] + "xx" if code[0] != "5" else code] += 1
            for at, src, port, dst, dport, seq, ack, relative in rows(pcap, "tcp.flags.reset==1", "frame.time_epoch", "ip.src", "tcp.srcport", "ip.dst",
                                                            "tcp.dstport", "tcp.seq_raw", "tcp.flags.ack", "tcp.seq"):
                if first_time("rst", src, dst, port, dport, seq):
                    kind = refused if ack in ("1", "True") and relative == "1" and seq == "0" else resets
                    kind[(f"{who(src)}:{port}" if int(port) < 32768 else who(src), who(dst), PERIODS[period(float(at))])] += 1
            for at, src, dst, ident, code, name, kind in rows(pcap, "dns.flags.response==1", "frame.time_epoch", "ip.src", "ip.dst", "dns.id",
                                                        "dns.flags.rcode", "dns.qry.name", "dns.qry.type"):
                if first_time("dns", src, dst, ident, name, kind):
                    rcodes[(PERIODS[period(float(at))], {"0": "NOERROR", "2": "SERVFAIL", "3": "NXDOMAIN"}.get(code, code))] += 1
            count = subprocess.run(["tshark", "-n", "-r", str(pcap), "-T", "fields", "-e", "frame.number"], check=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.count("\n")
            packets += count
            print(f"{node['capture']}: {count} packets, {pcap.stat().st_size / 1e6:.1f} MB, "
                  f"{(directory / node['capture']).stat().st_size / 1e6:.2f} MB compressed")
    print(f"{packets} packets; periods: before onset, during, after mending\n")
    print(f"{'edge':44}" + "".join(f"{p + ': n / failed / p50 / p95 ms':>34}" for p in PERIODS))
    for edge in sorted(calls):
        line = f"{edge[0]} -> {edge[1]} {edge[2]}"[:44].ljust(44)
        for found in calls[edge]:
            codes = Counter(c for c, _ in found if c >= 400 and c not in USUAL)
            shown = "+".join(f"{n}x{c}" for c, n in sorted(codes.items())) or "0"
            times = [t for _, t in found]
            line += (f"{len(found)} / {shown} / {percentile(times, .5):.1f} / {percentile(times, .95):.1f}" if found else "-").rjust(34)
        print(line)
    print("\nclients' answers per minute: " + "; ".join(f"{m}: {dict(sorted(c.items()))}" for m, c in sorted(per_minute.items())))
    print("refused: " + str(dict(refused)) + "\nresets:  " + str(dict(resets)) + "\ndns:     " + str(dict(rcodes)))
