"""Takes an order: cart, prices, stock, payment, shipment, mail, in this order."""

import asyncio

from .http import CallFailed, Response
from .service import ZONE, Service

service = Service("checkout", "uvicorn")
cart = service.client("cart")
catalogue = service.client("catalogue")
inventory = service.client("inventory")
payments = service.client(f"payments.{ZONE}", max_age=30, timeout=2.5)
shipping = service.client("shipping")
mail = service.client("notifications", keep=False, timeout=2.0)


async def confirm(order, email, headers):
    """The mail is sent after the answer, with one more attempt; its failure does not fail the order."""
    if not service.setting("confirm_by_mail", True):
        return
    for attempt in (1, 2):
        try:
            answer = await mail.call("POST", "/emails", {"to": email, "template": "order-confirmed", "order": order},
                                     {**headers, "X-Attempt": str(attempt)})
            if answer.status < 500:
                return
        except CallFailed:
            pass
        await asyncio.sleep(0.4)


@service.route("POST", "/orders")
async def place(request):
    asked = request.json()
    headers = service.onward(request)
    await service.work(2, 6)
    basket = await cart.call("GET", f"/carts/{asked['cart']}", headers=headers)
    items = basket.json().get("items", []) if basket.status == 200 else []
    if not items:
        return Response(422, {"error": "cart is empty"})
    skus = ",".join(item["sku"] for item in items)
    prices = (await catalogue.call("GET", f"/prices?skus={skus}", headers=headers)).json()["prices"]
    amount = sum(prices.get(item["sku"], 0) * item["quantity"] for item in items)
    order = f"ord-{service.random.getrandbits(32):08x}"

    try:
        reserved = await inventory.call("POST", "/reservations", {"order": order, "items": items}, headers)
    except CallFailed as error:
        return Response(504 if error.kind == "timeout" else 502, {"error": "inventory unavailable"})
    if reserved.status == 409:
        return Response(409, {"error": "out of stock", "order": order})
    if reserved.status >= 400:
        return Response(502, {"error": "inventory unavailable"})

    charge = {"order": order, "amount": amount, "currency": "EUR", "card": asked.get("card", {})}
    try:
        paid = await payments.call("POST", "/charges", charge, {**headers, "Authorization": request.headers.get("authorization"),
                                                                "Idempotency-Key": order})
    except CallFailed as error:
        return Response(504 if error.kind == "timeout" else 502, {"error": "payment service unavailable"})
    if paid.status == 402:
        return Response(402, {"error": "card declined", "order": order})
    if paid.status >= 400:
        return Response(502, {"error": "payment failed"})

    sent = await shipping.call("POST", "/shipments", {"order": order, "address": asked.get("address", {}), "items": items}, headers)
    await cart.call("DELETE", f"/carts/{asked['cart']}", headers=headers)
    task = asyncio.create_task(confirm(order, asked.get("email", ""), headers))
    pending.add(task)
    task.add_done_callback(pending.discard)
    return Response(201, {"order": order, "amount": amount, "currency": "EUR", "shipment": sent.json().get("shipment")})


pending = set()
service.run()
