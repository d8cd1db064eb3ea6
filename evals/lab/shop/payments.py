"""Charges a card: authorization at the bank, then an entry in the ledger."""

from .http import CallFailed, Response
from .service import ZONE, Service

service = Service("payments", "Kestrel")
bank = service.client("api.bank.example", 80, name="bank", timeout=2.0, max_age=60, user_agent="shop-payments/1.9 (+ops@shop.example)")
ledger = service.client(f"ledger.{ZONE}", timeout=1.5)


@service.route("POST", "/charges")
async def charge(request):
    asked = request.json()
    await service.work(2, 5)
    headers = service.onward(request)
    try:
        answer = await bank.call("POST", "/v1/authorizations",
                                 {"merchant": "shop-4711", "amount": asked["amount"], "currency": asked["currency"],
                                  "card": asked["card"], "reference": asked["order"]},
                                 {"Authorization": "Bearer demo-bank-key-0001", "Accept": "application/json"})
    except CallFailed as error:
        return Response(504 if error.kind == "timeout" else 502, {"error": "bank unavailable"})
    if answer.status == 402:
        return Response(402, {"error": "declined", "reason": answer.json().get("reason")})
    if answer.status >= 400:
        return Response(502, {"error": "bank error"})
    try:
        booked = await ledger.call("POST", "/entries", {"order": asked["order"], "amount": asked["amount"], "account": "sales"},
                                   {**headers, "Authorization": "Bearer demo-service-payments-01"})
    except CallFailed as error:
        return Response(504 if error.kind == "timeout" else 503, {"error": "ledger unavailable"})
    if booked.status >= 400:
        return Response(503, {"error": "ledger error"})
    return Response(201, {"charge": answer.json()["authorization"], "status": "captured"})


@service.route("GET", "/charges/{order}")
async def show(request):
    return Response(200, {"order": request.params["order"], "status": "captured"})


service.run()
