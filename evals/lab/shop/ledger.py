"""Bookkeeping in a database of its own; the sales report is slow by nature."""

from .http import Response
from .postgres import PgError, Pool
from .service import Service

service = Service("ledger", "gunicorn")
pool = Pool("ledger-db", 5432, "ledger", "ledger", service.pod, size=4, max_age=120)


@service.route("POST", "/entries")
async def book(request):
    asked = request.json()
    wanting = [key for key in ("order", "account", "amount") if key not in asked]
    if wanting:
        return Response(400, {"error": f"missing field: {', '.join(wanting)}"})
    try:
        rows = await pool.query("INSERT INTO entries (order_id, account, amount) VALUES ($1, $2, $3::bigint) RETURNING id",
                                asked["order"], asked["account"], asked["amount"])
    except PgError as error:
        return Response(500, {"error": str(error)})
    return Response(201, {"entry": int(rows[0][0])})


@service.route("GET", "/reports/sales")
async def report(_request):
    try:
        rows = await pool.query("SELECT count(*), coalesce(sum(amount), 0), pg_sleep(0.7) FROM entries WHERE account = $1", "sales")
    except PgError as error:
        return Response(500, {"error": str(error)})
    await service.work(60, 160)
    return Response(200, {"orders": int(rows[0][0]), "revenue": int(rows[0][1]), "currency": "EUR"})


service.run()
