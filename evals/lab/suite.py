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
NEIGHBOURS = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
NEIGHBOURS_OF_A_LAB = 120

BUYERS = "browse=0.3,fill=0.15,checkout=0.45,track=0.1"
READERS = "browse=0.85,fill=0.05,checkout=0.05,track=0.05"
CARTS = "browse=0.1,fill=0.5,checkout=0.3,track=0.1"
TRACKERS = "browse=0.3,fill=0.1,checkout=0.25,track=0.35"

# Name, fault, zone of the person who asks, what differs from lab.py's defaults, the question.
# The name is also the seed's source, so that rows can come and go.
RECORDINGS = [
    ("bad-replica-a", "bad-replica:payments", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.8},
     "Why do some customers get errors when they pay?"),
    ("bad-replica-b", "bad-replica:catalogue", "Europe/Berlin", {"onset": 150},
     "Product pages sometimes show an error, reloading helps. Why?"),
    ("refused-a", "store-refused:redis", "America/New_York", {"lasts": 90},
     "Nobody can put things into the cart, what broke?"),
    ("refused-b", "store-refused:ledger-db", "Asia/Kolkata", {"mix": BUYERS, "rate": 0.8, "lasts": 100},
     "Orders fail since a few minutes ago. What happened?"),
    ("slow-a", "slow:catalogue", "Australia/Lord_Howe", {"onset": 145},
     "The shop feels sluggish. Why?"),
    ("slow-b", "slow:shipping", "UTC", {"mix": BUYERS, "rate": 0.8, "lasts": 0, "onset": 150},
     "Placing an order takes longer than usual, why?"),
    ("slow-c", "slow:ledger", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.8},
     "Customers cannot complete their purchase. What is wrong?"),
    ("app-error-a", "app-error:reserve", "Europe/Berlin", {"mix": BUYERS, "rate": 0.8, "lasts": 85},
     "Why does checkout fail?"),
    ("app-error-b", "app-error:cart-items", "Asia/Kolkata", {"mix": CARTS, "rate": 0.8, "lasts": 0, "onset": 155},
     "Adding to the cart fails for some people, why?"),
    ("external-a", "bank-fails:503", "America/New_York", {"mix": BUYERS, "rate": 0.8},
     "Payments do not go through. Why?"),
    ("external-b", "bank-fails:slow", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.75, "lasts": 100},
     "Checkout hangs and then fails for many, since when and why?"),
    ("dns-a", "dns-broken:payments-servfail", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.8, "lasts": 100},
     "Why do customers get errors at checkout?"),
    ("dns-b", "dns-broken:shipping-silent", "UTC", {"mix": BUYERS, "rate": 0.8, "lasts": 0, "onset": 135},
     "Orders hang and the tracking page too. Why?"),
    ("blackholed-a", "blackholed:payments-ledger", "Asia/Kolkata", {"mix": BUYERS, "rate": 0.8},
     "Why does nobody manage to pay?"),
    ("blackholed-b", "blackholed:cart-redis", "Europe/Berlin", {"lasts": 0, "onset": 150},
     "The cart does not load any more, what is it?"),
    ("packet-loss-a", "packet-loss:shipping", "America/New_York", {"mix": TRACKERS, "rate": 1.0, "lasts": 100},
     "Ordering is slow at times. Why?"),
    ("packet-loss-b", "packet-loss:catalogue", "Australia/Lord_Howe", {"lasts": 0, "onset": 145},
     "Pages of products load slowly now and then, why?"),
    ("node-fault-a", "node-fault:node-2", "Asia/Jerusalem", {"rate": 0.9, "lasts": 100},
     "Everything in the shop is slow at times. What is going on?"),
    ("node-fault-b", "node-fault:node-3", "UTC", {"rate": 0.9, "lasts": 0, "onset": 150},
     "Several things in the shop stall. Why?"),
    ("saturation-a", "saturation:catalogue", "Europe/Berlin", {"mix": READERS, "rate": 1.2},
     "Product pages are slow for some visitors. Why?"),
    ("saturation-b", "saturation:cart", "Asia/Kolkata", {"mix": CARTS, "rate": 0.7, "lasts": 0, "onset": 140},
     "Carts take ages to open. What changed?"),
    ("auth-a", "auth:bank", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.8, "lasts": 90},
     "Why can't customers pay?"),
    ("auth-b", "auth:ledger", "America/New_York", {"mix": BUYERS, "rate": 0.75, "lasts": 0, "onset": 150},
     "Orders fail at the last step, why?"),
    ("rate-limit-a", "rate-limit:bank", "Europe/Berlin", {"mix": BUYERS, "rate": 0.85},
     "Many payments are turned away. Why?"),
    ("rate-limit-b", "rate-limit:catalogue", "Asia/Kolkata", {"mix": READERS, "rate": 1.2, "lasts": 100},
     "Why do some product pages not open?"),
    ("reset-a", "reset:shipping", "UTC", {"mix": BUYERS, "rate": 0.8},
     "Orders fail although the card is charged. Why?"),
    ("reset-b", "reset:catalogue", "Asia/Jerusalem", {"mix": READERS, "rate": 1.1, "lasts": 0, "onset": 145},
     "Product pages break off now and then. Why?"),
    ("config-a", "config:checkout-payments", "Australia/Lord_Howe", {"mix": BUYERS, "rate": 0.8},
     "Why do orders time out?"),
    ("config-b", "config:gateway-catalogue", "America/New_York", {"mix": READERS, "rate": 0.95, "lasts": 85},
     "Visitors see time-outs on product pages. Why?"),
    ("bad-request-a", "bad-request:checkout-inventory", "Asia/Kolkata", {"mix": BUYERS, "rate": 0.7, "lasts": 100},
     "Nobody can order anything. What is broken?"),
    ("bad-request-b", "bad-request:payments-ledger", "Asia/Jerusalem", {"mix": BUYERS, "rate": 0.65, "lasts": 0, "onset": 155},
     "Why does checkout fail for everyone?"),
    ("misroute-a", "misroute:shipping", "Europe/Berlin", {"mix": TRACKERS, "rate": 0.75, "lasts": 0, "onset": 140},
     "Customers cannot find their orders. Why?"),
    ("misroute-b", "misroute:inventory", "UTC", {"mix": BUYERS, "rate": 0.7, "lasts": 0, "onset": 140},
     "Orders fail and nobody knows why."),
    ("missing-traffic-a", "missing-traffic:checkout-mail", "America/New_York", {"mix": BUYERS, "rate": 0.7, "lasts": 0},
     "Customers say they get no confirmation of their order. Why?"),
    ("missing-traffic-b", "missing-traffic:catalogue-stock", "Asia/Kolkata", {"mix": READERS, "rate": 0.95, "lasts": 0},
     "The shop no longer shows what is in stock. Why?"),
    ("error-body-a", "error-in-200:cart", "Asia/Jerusalem", {"mix": CARTS, "rate": 0.7},
     "People say their cart stays empty. Why?"),
    ("error-body-b", "error-in-200:catalogue", "Europe/Berlin", {"mix": READERS, "rate": 0.95, "lasts": 0, "onset": 150},
     "Some product pages are blank. Why?"),
    ("surge-a", "traffic-surge:shoppers", "Australia/Lord_Howe", {"rate": 0.5, "lasts": 70},
     "Is something wrong? The graphs look odd."),
    ("surge-b", "traffic-surge:one-client", "UTC", {"mix": BUYERS, "rate": 0.5, "lasts": 75},
     "Why do orders fail?"),
    ("retry-storm-a", "retry-storm:payments-bank", "America/New_York", {"mix": BUYERS, "rate": 0.5},
     "The bank complains about how often we call it. Why?"),
    ("retry-storm-b", "retry-storm:gateway-shipping", "Asia/Jerusalem", {"mix": TRACKERS, "rate": 0.7},
     "Shipping has far more requests than usual, why?"),
    ("common-factor-a", "common-factor:sku", "Asia/Kolkata", {"mix": READERS, "rate": 1.05, "lasts": 0, "onset": 135},
     "A few visitors report a broken product page. Why?"),
    ("common-factor-b", "common-factor:client", "Europe/Berlin", {"mix": CARTS, "rate": 0.75, "lasts": 0, "onset": 135},
     "One customer says the cart never works for them. Why?"),
    ("gradual-a", "gradual:shipping", "UTC", {"mix": TRACKERS, "rate": 0.75, "lasts": 0, "onset": 130, "seconds": 265},
     "Orders seem to get slower and slower. Why?"),
    ("gradual-b", "gradual:inventory", "America/New_York", {"rate": 0.75, "lasts": 0, "onset": 130, "seconds": 275},
     "The shop has become slow. Why?"),
    ("periodic-a", "periodic:inventory", "Asia/Jerusalem", {"mix": BUYERS, "rate": 1, "lasts": 115, "seconds": 270},
     "Checkout fails from time to time. Why?"),
    ("periodic-b", "periodic:catalogue", "Asia/Kolkata", {"mix": READERS, "rate": 0.95, "lasts": 0, "seconds": 270},
     "Product pages fail on and off. Why?"),
    ("two-causes-a", "two-causes:products-bank", "Europe/Berlin", {"lasts": 100, "rate": 0.8},
     "Lots of complaints: product pages and orders. What is going on?"),
    ("two-causes-b", "two-causes:tracking-cart", "Australia/Lord_Howe", {"mix": TRACKERS, "rate": 0.75, "lasts": 0},
     "The shop misbehaves in several places. Why?"),
    ("healthy-a", "healthy", "Asia/Jerusalem", {"rate": 0.5},
     "Is the shop all right?"),
    ("healthy-b", "healthy", "UTC", {"rate": 0.75, "mix": BUYERS},
     "Customers complain that orders fail. Is that so?"),
    ("healthy-c", "healthy", "Asia/Kolkata", {"rate": 1.1, "seconds": 230},
     "Did anything change in the last minutes?"),
    ("healthy-d", "healthy", "America/New_York", {"rate": 0.95, "mix": READERS, "probe-period": 10},
     "Why is the shop slow?"),
    ("healthy-e", "healthy", "Europe/Berlin", {"rate": 0.7, "mix": CARTS},
     "Somebody saw an error on a product page. Is there an incident?"),
    ("healthy-f", "healthy", "Australia/Lord_Howe", {"rate": 0.6, "mix": TRACKERS, "seconds": 300},
     "Is checkout working?"),
    ("healthy-g", "healthy:chronic", "Asia/Jerusalem", {"rate": 0.75},
     "Did anything get worse in the last minutes?"),
]


def command(name, fault, zone, options, question):
    more = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    return [sys.executable, str(HERE / "lab.py"), "record", fault, str(CAPTURES / name), "--seed", str(zlib.crc32(name.encode()) % 1000),
            "--zone", zone, "--question", question, *more]


def record(names, at_once, first_lab):
    unknown = set(names) - {row[0] for row in RECORDINGS}
    if unknown:
        raise SystemExit(f"not in the table: {', '.join(sorted(unknown))}")
    # All namespaces of a machine share one table of neighbours; when it is full, packets are lost that no fault took away.
    if int(NEIGHBOURS.read_text(encoding="ascii")) < (needed := at_once * NEIGHBOURS_OF_A_LAB):
        raise SystemExit(f"{at_once} labs at once overflow the kernel's table of neighbours: fewer, or "
                         f"sysctl -w net.ipv4.neigh.default.gc_thresh3={needed} (and gc_thresh2 to half of it)")
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
