"""Shipments, kept in memory; unknown orders are 404, as people mistype them."""

from .http import Response
from .service import Service

service = Service("shipping", "Werkzeug/3.0.1 Python/3.11.7")
shipments = {}


@service.route("POST", "/shipments")
async def create(request):
    asked = request.json()
    await service.work(4, 12)
    shipments[asked["order"]] = f"sh-{service.random.getrandbits(28):07x}"
    return Response(201, {"shipment": shipments[asked["order"]], "carrier": "DemoPost", "days": 2})


@service.route("GET", "/shipments/{order}")
async def show(request):
    await service.work(3, 8)
    found = shipments.get(request.params["order"])
    if found is None:
        return Response(404, {"error": "no such order"})
    return Response(200, {"order": request.params["order"], "shipment": found, "status": "in_transit"})


service.run()
