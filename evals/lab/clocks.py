#!/usr/bin/env python3
"""Calls of a shop around a moment, for cases about clocks: the payments fail from it on, for three minutes.

    clocks.py 2026-10-25T00:40:00Z calls.jsonl.gz

The same moment gives the same file: nothing is random but a generator that is seeded with it.
"""

import datetime
import gzip
import json
import random
import sys

BEFORE, FAULT, AFTER = 6 * 60, 3 * 60, 2 * 60


def calls(onset):
    chance = random.Random(int(onset))
    at = onset - BEFORE
    while at < onset + FAULT + AFTER:
        at += 0.8 + chance.random() * 0.4
        broken = onset <= at < onset + FAULT and chance.random() < 0.8
        yield from order(at, broken, chance)
        yield call(at + 0.1, "outside", "gateway", "GET", "/api/products", 200, 6 + 4 * chance.random())


def order(at, broken, chance):
    paid = 9 + 5 * chance.random()
    yield call(at, "outside", "gateway", "POST", "/api/checkout", 502 if broken else 201, paid + 9,
               body='{"error":"upstream error"}' if broken else None)
    yield call(at + 0.002, "gateway", "checkout", "POST", "/orders", 502 if broken else 201, paid + 6,
               body='{"error":"payments unavailable"}' if broken else None)
    yield call(at + 0.003, "checkout", "inventory", "POST", "/reservations", 201, 2)
    yield call(at + 0.006, "checkout", "payments", "POST", "/payments", 500 if broken else 201, paid,
               body='{"error":"certificate has expired"}' if broken else None)


def call(at, src, dst, method, path, status, ms, body=None):
    line = {
        "ts_us": round(at * 1_000_000),
        "src": "external" if src == "outside" else src,
        "dst": dst,
        "namespace": "shop",
        "protocol": "http",
        "method": method,
        "path": path,
        "status": status,
        "latency_us": round(ms * 1000),
    }
    if body:
        line["response_body"] = body
    return line


def main():
    onset = datetime.datetime.fromisoformat(sys.argv[1].replace("Z", "+00:00")).timestamp()
    lines = sorted(calls(onset), key=lambda line: line["ts_us"])
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    with open(sys.argv[2], "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.encode())


main()
