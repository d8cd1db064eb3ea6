"""Stock and reservations, kept in PostgreSQL."""

import json

from .http import Response
from .postgres import PgError, Pool
from .service import ZONE, Service

service = Service("inventory", "Jetty(11.0.20)")
pool = Pool(f"postgres.{ZONE}", 5432, "inventory", "inventory", service.pod)


def failed(error):
    return Response(503, {"error": str(error), "code": error.code})


@service.route("GET", "/stock/{sku}")
async def stock(request):
    try:
        rows = await pool.query("SELECT quantity - reserved FROM stock WHERE sku = $1", request.params["sku"])
    except PgError as error:
        return failed(error)
    if not rows:
        return Response(404, {"error": "no such sku"})
    return Response(200, {"sku": request.params["sku"], "available": int(rows[0][0])})


@service.route("POST", "/reservations")
async def reserve(request):
    asked = request.json()
    wanting = next((f"items[{i}].{key}" for i, item in enumerate(asked["items"]) for key in ("sku", "quantity") if key not in item), None)
    if wanting:
        return Response(400, {"error": "validation failed", "field": wanting, "reason": "required"})

    async def work(query):
        for item in sorted(asked["items"], key=lambda i: i["sku"]):
            rows = await query("UPDATE stock SET reserved = reserved + $2::int WHERE sku = $1 "
                               "AND quantity - reserved >= $2::int RETURNING quantity - reserved", item["sku"], item["quantity"])
            if not rows:
                raise PgError("P0001", f"not enough stock of {item['sku']}")
        await query("INSERT INTO reservations (order_id, items) VALUES ($1, $2)", asked["order"], json.dumps(asked["items"]))

    try:
        await pool.transaction(work)
    except PgError as error:
        return Response(409, {"error": str(error)}) if error.code == "P0001" else failed(error)
    return Response(201, {"order": asked["order"], "status": "reserved"})


service.run()
