"""api.bank.example, outside the cluster: authorizes most cards, declines a few."""

from .http import Response
from .service import Service

service = Service("bank", "cloudflare")


@service.route("POST", "/v1/authorizations")
async def authorize(request):
    await service.work(35, 80)
    asked = request.json()
    if service.random.random() < 0.03:
        return Response(402, {"reason": "insufficient_funds", "reference": asked.get("reference")})
    return Response(201, {"authorization": f"au_{service.random.getrandbits(40):010x}", "reference": asked.get("reference")},
                    {"Strict-Transport-Security": "max-age=15552000"})


service.run()
