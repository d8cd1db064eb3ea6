"""What every service of the shop shares: routes, health, behaviour that a fault can change while it runs.

A fault writes the pod's behaviour file (JSON); it is read again whenever it changes:

    {"rules": [{"match": "POST /charges", "holding": "SKU-1007", "share": 1.0, "delay_ms": [800, 1500], "busy_ms": 0,
                "status": 500, "body": {"error": "…"}, "drop": false}],
     "settings": {"payments_timeout": 0.3}}

`match` is a regular expression on "METHOD /path", `holding` (optional) one on the query, header values
and body, for faults of one client, key or payload. The delay comes first; then `drop` cuts the
connection, `status` answers instead of the code; without either the code runs as usual.
"""

import asyncio
import json
import os
import random
import re
import sys
import time
import traceback

from .http import CallFailed, Client, Request, Response, serve

PORT = 8080
ZONE = "shop.svc.cluster.local"
# Names of the headers handed on to the next service.
HANDED_ON = ("x-request-id",)


class Behaviour:
    def __init__(self, path):
        self.path, self.stamp, self.rules, self.settings = path, None, [], {}

    def refresh(self):
        try:
            stamp = os.stat(self.path).st_mtime_ns
        except OSError:
            stamp = None
        if stamp != self.stamp:
            self.stamp, self.rules, self.settings = stamp, [], {}
            if stamp is not None:
                with open(self.path, encoding="utf-8") as file:
                    data = json.load(file)
                self.rules, self.settings = data.get("rules", []), data.get("settings", {})


class Service:
    def __init__(self, name, server):
        self.name, self.server = name, server
        self.pod = os.environ["POD_NAME"]
        self.random = random.Random(f"{os.environ.get('LAB_SEED', '0')}/{self.pod}")
        self.behaviour = Behaviour(os.environ["BEHAVIOUR_FILE"])
        self.routes = []
        self.route("GET", "/healthz")(self._health)

    def route(self, method, template):
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "$")

        def add(function):
            self.routes.append((method, pattern, function))
            return function

        return add

    async def _health(self, _request):
        return Response(200, b"ok\n", {"Cache-Control": "no-store"})

    def client(self, host, port=PORT, **options):
        return Client(host, port, options.pop("user_agent", f"{self.name}/2.4"), **options)

    def setting(self, name, default):
        self.behaviour.refresh()
        return self.behaviour.settings.get(name, default)

    async def work(self, low_ms, high_ms):
        """Time the code would take."""
        await asyncio.sleep(self.random.uniform(low_ms, high_ms) / 1000)

    def onward(self, request: Request, **more):
        return {"X-Request-Id": request.headers.get("x-request-id"), "Accept": "application/json", **more}

    @staticmethod
    def _concerns(rule, request):
        if not re.search(rule["match"], f"{request.method} {request.path}"):
            return False
        text = "\n".join([*map("=".join, request.query.items()), *request.headers.values(), request.body.decode("utf-8", "replace")])
        return re.search(rule.get("holding", ""), text) is not None

    async def _handle(self, request):
        self.behaviour.refresh()
        for rule in self.behaviour.rules:
            if self._concerns(rule, request) and self.random.random() < rule.get("share", 1.0):
                if "delay_ms" in rule:
                    await self.work(*rule["delay_ms"])
                if rule.get("busy_ms"):
                    end = time.monotonic() + rule["busy_ms"] / 1000
                    while time.monotonic() < end:
                        pass
                if rule.get("drop"):
                    return None
                if "status" in rule:
                    return Response(rule["status"], rule.get("body", {"error": "internal error"}))
        seen = False
        for method, pattern, function in self.routes:
            found = pattern.match(request.path)
            if found:
                seen = True
                if method == request.method:
                    request.params = found.groupdict()
                    try:
                        return await function(request)
                    except CallFailed as error:
                        print(error, file=sys.stderr, flush=True)
                        return Response(502, {"error": "upstream error"})
                    except Exception:
                        traceback.print_exc()
                        return Response(500, {"error": "internal error"})
        return Response(404, {"error": "no such method" if seen else "no such path"})

    def run(self, *background):
        async def main():
            tasks = [asyncio.create_task(job()) for job in background]
            await serve(self._handle, self.server, int(os.environ.get("LISTEN_PORT", PORT)))
            await asyncio.gather(*tasks)

        asyncio.run(main())
