"""Carts, kept in Redis: one hash a cart, SKU to quantity."""

from .http import Response
from .redis import Redis
from .service import Service

service = Service("cart", "gunicorn")
redis = Redis("redis", 6379)


async def content(cart):
    flat = await redis.command("HGETALL", f"cart:{cart}")
    return [{"sku": sku, "quantity": int(quantity)} for sku, quantity in zip(flat[::2], flat[1::2])]


@service.route("GET", "/carts/{cart}")
async def show(request):
    await service.work(1, 3)
    return Response(200, {"cart": request.params["cart"], "items": await content(request.params["cart"])})


@service.route("POST", "/carts/{cart}/items")
async def add(request):
    item, key = request.json(), f"cart:{request.params['cart']}"
    await redis.command("HINCRBY", key, item["sku"], item.get("quantity", 1))
    await redis.command("EXPIRE", key, 3600)
    return Response(200, {"cart": request.params["cart"], "items": await content(request.params["cart"])})


@service.route("DELETE", "/carts/{cart}")
async def clear(request):
    await redis.command("DEL", f"cart:{request.params['cart']}")
    return Response(204)


service.run()
