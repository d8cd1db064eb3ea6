"""The edge: routes /api to the services, checks the session, turns failures of upstreams into 502 and 504."""

from .http import CallFailed, Response
from .service import Service

service = Service("gateway", "envoy")
UPSTREAMS = {
    "catalogue": service.client("catalogue", max_age=40),
    "cart": service.client("cart"),
    "checkout": service.client("checkout", timeout=6.0),
    "shipping": service.client("shipping", timeout=4.0),
    "ledger": service.client("ledger", timeout=10.0),
}


async def forward(request, upstream, method, path, body=None):
    request_id = request.headers.get("x-request-id") or f"{service.random.getrandbits(48):012x}"
    headers = {"X-Request-Id": request_id, "X-Forwarded-For": request.peer, "X-Forwarded-Proto": "https",
               "Authorization": request.headers.get("authorization"), "Accept": "application/json"}
    try:
        answer = await UPSTREAMS[upstream].call(method, path, body, headers)
    except CallFailed as error:
        status = 504 if error.kind == "timeout" else 502
        return Response(status, {"error": "upstream timeout" if status == 504 else "upstream error"}, {"X-Request-Id": request_id})
    more = {"X-Request-Id": request_id}
    if "cache-control" in answer.headers:
        more["Cache-Control"] = answer.headers["cache-control"]
    if answer.status >= 502:
        return Response(answer.status, {"error": "upstream timeout" if answer.status == 504 else "upstream error"}, more)
    return Response(answer.status, answer.json(), more)


def session(request):
    cookies = dict(c.strip().partition("=")[::2] for c in request.headers.get("cookie", "").split(";") if c.strip())
    return cookies.get("session", "")


@service.route("GET", "/api/products")
async def products(request):
    category = request.query.get("category")
    return await forward(request, "catalogue", "GET", f"/products?category={category}" if category else "/products")


@service.route("GET", "/api/products/{sku}")
async def product(request):
    return await forward(request, "catalogue", "GET", f"/products/{request.params['sku']}")


@service.route("GET", "/api/products/{sku}/reviews")
async def reviews(request):
    return await forward(request, "catalogue", "GET", f"/products/{request.params['sku']}/reviews")


@service.route("GET", "/api/cart")
async def cart(request):
    return await forward(request, "cart", "GET", f"/carts/{session(request)}")


@service.route("POST", "/api/cart/items")
async def add(request):
    return await forward(request, "cart", "POST", f"/carts/{session(request)}/items", request.json())


@service.route("POST", "/api/checkout")
async def checkout(request):
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return Response(401, {"error": "sign in first"}, {"WWW-Authenticate": "Bearer"})
    return await forward(request, "checkout", "POST", "/orders", {"cart": session(request), **request.json()})


@service.route("GET", "/api/orders/{order}")
async def order(request):
    return await forward(request, "shipping", "GET", f"/shipments/{request.params['order']}")


@service.route("GET", "/api/reports/sales")
async def report(request):
    return await forward(request, "ledger", "GET", "/reports/sales")


service.run()
