"""Health probes of one node, as its kubelet sends them: GET /healthz, a connection each. Arguments: period in seconds, then IP:PORT…"""

import asyncio
import random
import sys

from shop.http import CallFailed, Client


async def probe(target, period, draw):
    host, _, port = target.partition(":")
    client = Client(host, int(port), "kube-probe/1.31", timeout=2, keep=False)
    await asyncio.sleep(draw.uniform(0, period))
    while True:
        try:
            await client.call("GET", "/healthz", headers={"Accept": "*/*"})
        except CallFailed:
            pass
        await asyncio.sleep(period)


async def main(period, targets):
    draw = random.Random(" ".join(targets))
    await asyncio.gather(*(probe(t, period, draw) for t in targets))


asyncio.run(main(float(sys.argv[1]), sys.argv[2:]))
