#!/usr/bin/env python3
"""Records the captures of the table below, several at once, each in a lab of its own; those that exist already are left alone.

    suite.py record [--at-once N] [--first-lab M] [NAME…]     all that are missing, or the named ones of these
    suite.py table                                            what the captures hold, as the table of ../README.md
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
CAPTURES = HERE.parent / "captures"

BUYERS = "browse=0.3,fill=0.15,checkout=0.45,track=0.1"
READERS = "browse=0.85,fill=0.05,checkout=0.05,track=0.05"
CARTS = "browse=0.1,fill=0.5,checkout=0.3,track=0.1"
TRACKERS = "browse=0.3,fill=0.1,checkout=0.25,track=0.35"

# Name, fault, what a person would ask and where that person is; what differs from lab.py's defaults.
# The name is also the seed's source, so that rows can come and go.
RECORDINGS = [
    ("bad-replica-a", "bad-replica:payments", "Why do some customers get errors when they pay?", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.8}),
    ("bad-replica-b", "bad-replica:catalogue", "Product pages sometimes show an error, reloading helps. Why?", "Europe/Berlin", {"onset": 150}),
    ("refused-a", "store-refused:redis", "Nobody can put things into the cart, what broke?", "America/New_York", {"lasts": 90}),
    ("refused-b", "store-refused:ledger-db", "Orders fail since a few minutes ago. What happened?", "Asia/Kolkata", {"mix": BUYERS, "rate": 0.8, "lasts": 100}),
    ("slow-a", "slow:catalogue", "The shop feels sluggish. Why?", "Australia/Lord_Howe", {"onset": 145}),
    ("slow-b", "slow:shipping", "Placing an order takes longer than usual, why?", "UTC", {"mix": BUYERS, "rate": 0.8, "lasts": 0, "onset": 150}),
    ("slow-c", "slow:ledger", "Customers cannot complete their purchase. What is wrong?", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.8}),
    ("app-error-a", "app-error:reserve", "Why does checkout fail?", "Europe/Berlin", {"mix": BUYERS, "rate": 0.8, "lasts": 85}),
    ("app-error-b", "app-error:cart-items", "Adding to the cart fails for some people, why?", "Asia/Kolkata", {"mix": CARTS, "rate": 0.8, "lasts": 0, "onset": 155}),
    ("external-a", "bank-fails:503", "Payments do not go through. Why?", "America/New_York", {"mix": BUYERS, "rate": 0.8}),
    ("external-b", "bank-fails:slow", "Checkout hangs and then fails for many, since when and why?", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.75, "lasts": 100}),
    ("dns-a", "dns-broken:payments-servfail", "Why do customers get errors at checkout?", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.8, "lasts": 100}),
    ("dns-b", "dns-broken:shipping-silent", "Orders hang and the tracking page too. Why?", "UTC", {"mix": BUYERS, "rate": 0.8, "lasts": 0, "onset": 135}),
    ("blackholed-a", "blackholed:payments-ledger", "Why does nobody manage to pay?", "Asia/Kolkata", {"mix": BUYERS, "rate": 0.8}),
    ("blackholed-b", "blackholed:cart-redis", "The cart does not load any more, what is it?", "Europe/Berlin", {"lasts": 0, "onset": 150}),
    ("packet-loss-a", "packet-loss:shipping", "Ordering is slow at times. Why?", "America/New_York", {"mix": TRACKERS, "rate": 1.0, "lasts": 100}),
    ("packet-loss-b", "packet-loss:catalogue", "Pages of products load slowly now and then, why?", "Australia/Lord_Howe", {"lasts": 0, "onset": 145}),
    ("node-fault-a", "node-fault:node-2", "Everything in the shop is slow at times. What is going on?", "Asia/Jerusalem", {"rate": 0.9, "lasts": 100}),
    ("node-fault-b", "node-fault:node-3", "Several things in the shop stall. Why?", "UTC", {"rate": 0.9, "lasts": 0, "onset": 150}),
    ("saturation-a", "saturation:catalogue", "Product pages are slow for some visitors. Why?", "Europe/Berlin", {"mix": READERS, "rate": 1.2}),
    ("saturation-b", "saturation:cart", "Carts take ages to open. What changed?", "Asia/Kolkata", {"mix": CARTS, "rate": 0.7, "lasts": 0, "onset": 140}),
    ("auth-a", "auth:bank", "Why can't customers pay?", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.8, "lasts": 90}),
    ("auth-b", "auth:ledger", "Orders fail at the last step, why?", "America/New_York", {"mix": BUYERS, "rate": 0.75, "lasts": 0, "onset": 150}),
    ("rate-limit-a", "rate-limit:bank", "Many payments are turned away. Why?", "Europe/Berlin", {"mix": BUYERS, "rate": 0.85}),
    ("rate-limit-b", "rate-limit:catalogue", "Why do some product pages not open?", "Asia/Kolkata", {"mix": READERS, "rate": 1.2, "lasts": 100}),
    ("reset-a", "reset:shipping", "Orders fail although the card is charged. Why?", "UTC", {"mix": BUYERS, "rate": 0.8}),
    ("reset-b", "reset:catalogue", "Product pages break off now and then. Why?", "Asia/Jerusalem", {"mix": READERS, "rate": 1.1, "lasts": 0, "onset": 145}),
    ("config-a", "config:checkout-payments", "Why do orders time out?", "Australia/Lord_Howe", {"mix": BUYERS, "rate": 0.8}),
    ("config-b", "config:gateway-catalogue", "Visitors see time-outs on product pages. Why?", "America/New_York", {"mix": READERS, "rate": 1.1, "lasts": 85}),
    ("bad-request-a", "bad-request:checkout-inventory", "Nobody can order anything. What is broken?", "Asia/Kolkata", {"mix": BUYERS, "rate": 0.8, "lasts": 100}),
    ("bad-request-b", "bad-request:payments-ledger", "Why does checkout fail for everyone?", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.75, "lasts": 0, "onset": 155}),
    ("misroute-a", "misroute:shipping", "Customers cannot find their orders. Why?", "Europe/Berlin", {"mix": TRACKERS, "rate": 0.9, "lasts": 0, "onset": 140}),
    ("misroute-b", "misroute:inventory", "Orders fail and nobody knows why.", "UTC", {"mix": BUYERS, "rate": 0.8, "lasts": 0, "onset": 140}),
    ("missing-traffic-a", "missing-traffic:checkout-mail", "Customers say they get no confirmation of their order. Why?", "America/New_York", {"mix": BUYERS, "rate": 0.8, "lasts": 0}),
    ("missing-traffic-b", "missing-traffic:catalogue-stock", "The shop no longer shows what is in stock. Why?", "Asia/Kolkata", {"mix": READERS, "rate": 1.1, "lasts": 0}),
    ("error-body-a", "error-in-200:cart", "People say their cart stays empty. Why?", "Asia/Jerusalem", {"mix": CARTS, "rate": 0.8}),
    ("error-body-b", "error-in-200:catalogue", "Some product pages are blank. Why?", "Europe/Berlin", {"mix": READERS, "rate": 1.1, "lasts": 0, "onset": 150}),
    ("surge-a", "traffic-surge:shoppers", "Is something wrong? The graphs look odd.", "Australia/Lord_Howe", {"rate": 0.6, "lasts": 70}),
    ("surge-b", "traffic-surge:one-client", "Why do orders fail?", "UTC", {"mix": BUYERS, "rate": 0.6, "lasts": 75}),
    ("retry-storm-a", "retry-storm:payments-bank", "The bank complains about how often we call it. Why?", "America/New_York", {"mix": BUYERS, "rate": 0.6}),
    ("retry-storm-b", "retry-storm:gateway-shipping", "Shipping has far more requests than usual, why?", "Asia/Jerusalem", {"mix": TRACKERS, "rate": 0.8}),
    ("common-factor-a", "common-factor:sku", "A few visitors report a broken product page. Why?", "Asia/Kolkata", {"mix": READERS, "rate": 1.2, "lasts": 0, "onset": 135}),
    ("common-factor-b", "common-factor:client", "One customer says the cart never works for them. Why?", "Europe/Berlin", {"mix": CARTS, "rate": 0.9, "lasts": 0, "onset": 135}),
    ("gradual-a", "gradual:shipping", "Orders seem to get slower and slower. Why?", "UTC", {"mix": TRACKERS, "rate": 0.9, "lasts": 0, "onset": 130, "seconds": 265}),
    ("gradual-b", "gradual:inventory", "The shop has become slow. Why?", "America/New_York", {"rate": 0.9, "lasts": 0, "onset": 130, "seconds": 275}),
    ("periodic-a", "periodic:inventory", "Checkout fails from time to time. Why?", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.9, "lasts": 115, "seconds": 270}),
    ("periodic-b", "periodic:catalogue", "Product pages fail on and off. Why?", "Asia/Kolkata", {"mix": READERS, "rate": 1.1, "lasts": 0, "seconds": 270}),
    ("two-causes-a", "two-causes:products-bank", "Lots of complaints: product pages and orders. What is going on?", "Europe/Berlin", {"lasts": 100, "rate": 0.95}),
    ("two-causes-b", "two-causes:tracking-cart", "The shop misbehaves in several places. Why?", "Australia/Lord_Howe", {"mix": TRACKERS, "rate": 0.9, "lasts": 0}),
    ("healthy-a", "healthy", "Is the shop all right?", "Asia/Jerusalem", {"rate": 0.6}),
    ("healthy-b", "healthy", "Customers complain that orders fail. Is that so?", "UTC", {"rate": 0.9, "mix": BUYERS}),
    ("healthy-c", "healthy", "Did anything change in the last minutes?", "Asia/Kolkata", {"rate": 1.3, "seconds": 230}),
    ("healthy-d", "healthy", "Why is the shop slow?", "America/New_York", {"rate": 1.1, "mix": READERS, "probe-period": 10}),
    ("healthy-e", "healthy", "Somebody saw an error on a product page. Is there an incident?", "Europe/Berlin", {"rate": 0.8, "mix": CARTS}),
    ("healthy-f", "healthy", "Is checkout working?", "Australia/Lord_Howe", {"rate": 0.7, "mix": TRACKERS, "seconds": 300}),
]


def command(name, fault, question, zone, options):
    more = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    return [sys.executable, str(HERE / "lab.py"), "record", fault, str(CAPTURES / name), "--seed", str(zlib.crc32(name.encode()) % 1000),
            "--zone", zone, "--question", question, *more]


def record(names, at_once, first_lab):
    unknown = set(names) - {row[0] for row in RECORDINGS}
    if unknown:
        raise SystemExit(f"not in the table: {', '.join(sorted(unknown))}")
    waiting, failed = queue.Queue(), []
    for row in RECORDINGS:
        # README.md is what a recording writes last.
        if (not names or row[0] in names) and not (CAPTURES / row[0] / "README.md").exists():
            waiting.put(row)

    def lab(number):
        while True:
            try:
                row = waiting.get_nowait()
            except queue.Empty:
                return
            done = subprocess.run(command(*row), env={**os.environ, "RCALAB": str(number)}, text=True, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            print(f"{row[0]}: {done.stdout.strip().splitlines()[-1]}", flush=True)
            if done.returncode:
                failed.append(row[0])

    labs = [threading.Thread(target=lab, args=(number,)) for number in range(first_lab, first_lab + at_once)]
    for thread in labs:
        thread.start()
    for thread in labs:
        thread.join()
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def table():
    print("| capture | fault | cause | MB |\n| --- | --- | --- | --- |")
    for path in sorted(CAPTURES.glob("*/truth.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        causes = "; ".join(f"{c['kind']}: {c['workload'] or c['service']}" + (f" {c['endpoint']}" if c["endpoint"] else "") for c in truth["causes"])
        size = sum(f.stat().st_size for f in path.parent.iterdir()) / 1e6
        print(f"| {path.parent.name} | {truth['fault']} | {causes or 'none'} | {size:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    recorder = commands.add_parser("record")
    recorder.add_argument("names", nargs="*")
    recorder.add_argument("--at-once", type=int, default=4)
    recorder.add_argument("--first-lab", type=int, default=2, help="number of the first lab (RCALAB), to run beside another suite")
    commands.add_parser("table")
    args = parser.parse_args()
    if args.command == "table":
        table()
    else:
        record(args.names, args.at_once, args.first_lab)


if __name__ == "__main__":
    main()
