"""What every service of the shop shares: routes, health, behaviour that a fault can change while it runs.

A fault writes the pod's behaviour file (JSON); it is read again whenever it changes:

    {"rules": [{"match": "POST /charges", "holding": "SKU-1007", "share": 1.0, "during_s": [30, 10], "spare": [5, 10],
                "delay_ms": [800, 1500], "grow_s": 120, "busy_ms": 0,
                "drop": false, "cut": false, "status": 500, "body": {"error": "…"}, "headers": {}}],
     "settings": {"payments_timeout": 0.3}}

Which requests a rule concerns: `match` is a regular expression on "METHOD /path", `holding` one on the
query, header values and body (for faults of one client, key or payload); `share` of them at random; `during_s` only
in the first 10 of every 30 seconds; `spare` leaves the first 5 of every 10 seconds alone, as a limit of rate does.

What happens to them: a delay (which `grow_s` lets grow from nothing over so many seconds) and CPU time burnt
come first; then `drop` resets the connection, `status` answers instead of the code, `cut` resets the connection in the
middle of the answer; without any of these the code runs as usual.

Settings of a service's clients, by the short name of the host called: see Dependency.
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
        self.path, self.stamp, self.rules, self.settings, self.since = path, None, [], {}, 0.0

    def refresh(self):
        try:
            stamp = os.stat(self.path).st_mtime_ns
        except OSError:
            stamp = None
        if stamp != self.stamp:
            self.stamp, self.rules, self.settings, self.since = stamp, [], {}, time.monotonic()
            if stamp is not None:
                with open(self.path, encoding="utf-8") as file:
                    data = json.load(file)
                self.rules, self.settings = data.get("rules", []), data.get("settings", {})


class Dependency(Client):
    """A client that follows the pod's settings, here for a host called `ledger`:

    ledger_timeout    seconds, instead of what the code asks for
    ledger_attempts   how often a failed call (no answer, or a status of 400 and more) is tried in all, without a pause
    ledger_headers    headers set on every request
    ledger_rename     keys of JSON bodies sent under another name, at any depth, as after a change of the caller's model
    """

    def __init__(self, service, name, *args, **options):
        super().__init__(*args, **options)
        self.setting = lambda what, default: service.setting(f"{name}_{what}", default)

    async def call(self, method, target, body=None, headers=None, timeout=None):
        limit = self.setting("timeout", self.timeout if timeout is None else timeout)
        headers = {**(headers or {}), **self.setting("headers", {})}
        body = renamed(body, self.setting("rename", {}))
        left = self.setting("attempts", 1)
        while True:
            left -= 1
            try:
                answer = await super().call(method, target, body, headers, limit)
                if answer.status < 400 or left < 1:
                    return answer
            except CallFailed:
                if left < 1:
                    raise


def renamed(value, names):
    if isinstance(value, dict):
        return {names.get(key, key): renamed(inner, names) for key, inner in value.items()}
    return [renamed(inner, names) for inner in value] if isinstance(value, list) else value


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
        name = options.pop("name", host.partition(".")[0])
        return Dependency(self, name, host, port, options.pop("user_agent", f"{self.name}/2.4"), **options)

    def setting(self, name, default):
        self.behaviour.refresh()
        return self.behaviour.settings.get(name, default)

    async def work(self, low_ms, high_ms):
        """Time the code would take."""
        await asyncio.sleep(self.random.uniform(low_ms, high_ms) / 1000)

    def onward(self, request: Request, **more):
        return {"X-Request-Id": request.headers.get("x-request-id"), "Accept": "application/json", **more}

    def _concerns(self, rule, request):
        if not re.search(rule["match"], f"{request.method} {request.path}"):
            return False
        text = "\n".join([*map("=".join, request.query.items()), *request.headers.values(), request.body.decode("utf-8", "replace")])
        if not re.search(rule.get("holding", ""), text) or self.random.random() >= rule.get("share", 1.0):
            return False
        age = time.monotonic() - self.behaviour.since
        if "during_s" in rule:
            period, length = rule["during_s"]
            if age % period >= length:
                return False
        if "spare" in rule:
            count, period = rule["spare"]
            span = int(age // period)
            rule["spared"] = rule.get("spared", 0) + 1 if rule.get("span") == span else 1
            rule["span"] = span
            return rule["spared"] > count
        return True

    async def _handle(self, request):
        self.behaviour.refresh()
        cut = False
        for rule in self.behaviour.rules:
            if self._concerns(rule, request):
                if "delay_ms" in rule:
                    grown = min(1, (time.monotonic() - self.behaviour.since) / rule["grow_s"]) if "grow_s" in rule else 1
                    await self.work(*(grown * ms for ms in rule["delay_ms"]))
                if rule.get("busy_ms"):
                    end = time.process_time() + rule["busy_ms"] / 1000
                    while time.process_time() < end:
                        pass
                if rule.get("drop"):
                    return None
                if "status" in rule:
                    return Response(rule["status"], rule.get("body", {"error": "internal error"}), dict(rule.get("headers", {})))
                cut = cut or rule.get("cut", False)
        response = await self._answer(request)
        response.cut = cut
        return response

    async def _answer(self, request):
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
