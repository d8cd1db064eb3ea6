"""Mails. The relay behind it hiccups now and then: a rare 500 that the caller repeats."""

from .http import Response
from .service import Service

service = Service("notifications", "Express")


@service.route("POST", "/emails")
async def send(request):
    asked = request.json()
    await service.work(10, 40)
    if service.random.random() < 0.03:
        return Response(500, {"error": "smtp relay: 451 try again later"})
    return Response(202, {"queued": True, "template": asked.get("template")}, {"X-Powered-By": "Express"})


service.run()
