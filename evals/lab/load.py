"""Shoppers outside the cluster: journeys begin as a Poisson process, each on a connection of its own, all drawn from the seed."""

import asyncio
import os
import random
import socket
import sys
import time
from collections import Counter

from shop.catalogue_data import CATEGORIES, PRODUCTS, RETIRED
from shop.http import CallFailed, Client
from shop.service import Behaviour

AGENTS = ["Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0",
          "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", "shop-app/4.11 (Android 14)"]
# Journey and its share.
MIX = [("browse", 0.50), ("fill", 0.16), ("checkout", 0.24), ("track", 0.10)]


class Shopper:
    def __init__(self, draw, public, addresses, orders, tally):
        self.draw, self.orders, self.tally = draw, orders, tally
        self.user = draw.randrange(1, 400)
        self.headers = {"Accept": "application/json", "Accept-Language": draw.choice(["en", "de-DE", "en-GB"]),
                        "Cookie": f"session=demo-{self.user:04d}-{draw.getrandbits(24):06x}; theme=light"}
        self.client = Client(public, 80, draw.choice(AGENTS), timeout=12, family=socket.AF_INET,
                             local=(draw.choice(addresses), 0), host_header="shop.example", spread=1)

    async def ask(self, method, path, body=None, **headers):
        try:
            answer = await self.client.call(method, path, body, {**self.headers, **headers})
            self.tally[f"{method} {path.split('?')[0].split('/')[2]} {answer.status}"] += 1
            return answer
        except CallFailed as error:
            self.tally[f"{method} {path.split('/')[2]} {error.kind}"] += 1
            return None

    async def think(self):
        await asyncio.sleep(self.draw.uniform(0.3, 1.6))

    def sku(self):
        return self.draw.choice(RETIRED) if self.draw.random() < 0.02 else self.draw.choice(sorted(PRODUCTS))

    async def browse(self):
        await self.ask("GET", f"/api/products?category={self.draw.choice(CATEGORIES)}")
        for _ in range(self.draw.randint(1, 2)):
            await self.think()
            sku = self.sku()
            await self.ask("GET", f"/api/products/{sku}")
            if self.draw.random() < 0.25:
                await self.ask("GET", f"/api/products/{sku}/reviews")

    async def fill(self):
        await self.ask("GET", f"/api/products/{self.sku()}")
        for _ in range(self.draw.randint(1, 2)):
            await self.ask("POST", "/api/cart/items", {"sku": self.draw.choice(sorted(PRODUCTS)), "quantity": 1})
            await self.think()
        await self.ask("GET", "/api/cart")

    async def checkout(self):
        await self.ask("POST", "/api/cart/items", {"sku": self.draw.choice(sorted(PRODUCTS)), "quantity": self.draw.randint(1, 3)})
        await self.think()
        answer = await self.ask("POST", "/api/checkout", {
            "email": f"user{self.user}@example.com", "address": {"city": "Demoville", "zip": f"{10000 + self.user}"},
            "card": {"number": "4111111111111111", "exp": "12/30", "cvc": "123"}}, Authorization=f"Bearer demo-user-{self.user:04d}")
        if answer is not None and answer.status == 201:
            self.orders.append(answer.json()["order"])

    async def track(self):
        known = self.orders and self.draw.random() > 0.08
        await self.ask("GET", f"/api/orders/{self.draw.choice(self.orders[-50:]) if known else 'ord-00000000'}")


async def main(seed, rate, seconds, public, addresses):
    draw, orders, tally, tasks = random.Random(f"load/{seed}"), [], Counter(), set()
    end = time.monotonic() + seconds

    async def journey(kind, shopper):
        try:
            await getattr(shopper, kind)()
        finally:
            shopper.client.close()

    async def accountant():
        while True:
            await asyncio.sleep(30)
            shopper = Shopper(random.Random(draw.random()), public, addresses, orders, tally)
            await shopper.ask("GET", "/api/reports/sales", Authorization="Bearer demo-accounting")
            shopper.client.close()

    async def report():
        while True:
            await asyncio.sleep(30)
            print(dict(sorted(tally.items())), flush=True)
            tally.clear()

    async def crowd():
        """One client that asks for one page again and again, without waiting for answers; on when the settings name it."""
        asking = set()
        while True:
            asked = changed.settings.get("crowd")
            await asyncio.sleep(1 / asked["rate"] if asked else 0.5)
            if asked:
                shopper = Shopper(random.Random(draw.random()), public, [asked["address"]], orders, tally)
                shopper.headers["Authorization"] = "Bearer demo-accounting"
                task = asyncio.create_task(one_page(shopper, asked["path"]))
                asking.add(task)
                task.add_done_callback(asking.discard)

    async def one_page(shopper, path):
        try:
            await shopper.ask("GET", path)
        finally:
            shopper.client.close()

    changed = Behaviour(os.environ["BEHAVIOUR_FILE"])
    extra = [asyncio.create_task(accountant()), asyncio.create_task(report()), asyncio.create_task(crowd())]
    while time.monotonic() < end:
        changed.refresh()
        await asyncio.sleep(draw.expovariate(rate * changed.settings.get("rate_factor", 1)))
        mix = changed.settings.get("mix", dict(MIX))
        kind = draw.choices(list(mix), list(mix.values()))[0]
        task = asyncio.create_task(journey(kind, Shopper(random.Random(draw.random()), public, addresses, orders, tally)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks, timeout=15)
    for task in extra:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4], sys.argv[5].split(",")))
