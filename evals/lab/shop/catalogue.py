"""Products, prices and reviews. Shows the stock when inventory answers, and does without when it does not."""

import time

from .catalogue_data import PRODUCTS
from .http import CallFailed, Response
from .service import Service

service = Service("catalogue", "nginx/1.25.3")
inventory = service.client("inventory", timeout=1.0)
STOCK_SECONDS = 20
known_stock = {}


async def stock(sku, headers):
    at, value = known_stock.get(sku, (-1e9, None))
    if time.monotonic() - at < STOCK_SECONDS:
        return value
    if not service.setting("show_stock", True):
        return None
    try:
        answer = await inventory.call("GET", f"/stock/{sku}", headers=headers)
        value = answer.json()["available"] if answer.status == 200 else None
    except CallFailed:
        value = None
    known_stock[sku] = (time.monotonic(), value)
    return value


@service.route("GET", "/products")
async def products(request):
    await service.work(3, 9)
    category = request.query.get("category")
    found = [p for p in PRODUCTS.values() if category in (None, p["category"])]
    return Response(200, {"products": found, "total": len(found)}, {"Cache-Control": "public, max-age=30"}, chunked=True)


@service.route("GET", "/products/{sku}")
async def product(request):
    await service.work(2, 6)
    found = PRODUCTS.get(request.params["sku"])
    if found is None:
        return Response(404, {"error": "no such product"})
    available = await stock(found["sku"], service.onward(request))
    return Response(200, {**found, "stock": "unknown" if available is None else available})


@service.route("GET", "/products/{sku}/reviews")
async def reviews(request):
    await service.work(8, 20)
    # A rare failure that is always there: background, not an incident.
    if service.random.random() < 0.03:
        return Response(500, {"error": "review index shard 3 not ready"})
    return Response(200, {"sku": request.params["sku"], "reviews": [{"stars": 4, "text": "Does what it says."},
                                                                   {"stars": 5, "text": "Light and sturdy."}]})


@service.route("GET", "/prices")
async def prices(request):
    await service.work(1, 4)
    skus = request.query.get("skus", "").split(",")
    return Response(200, {"prices": {sku: PRODUCTS[sku]["price"] for sku in skus if sku in PRODUCTS}})


service.run()
