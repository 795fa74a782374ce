"""Verifies a deployed server as the scripts of existing deployments do: health and metrics by plain HTTP, a first frame, TLS, and the
variables that it is set up by. Prints one line of JSON per check; exit code 0 where all have passed."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import ssl
import urllib.request
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import connect

FRAME_SECONDS = 2.0
HTTP_SECONDS = 5.0
METRICS = ("websocket_connections_total", "websocket_connections_active", "websocket_messages_total")
MINIMUM_SECRET = 32


def is_on(name: str) -> bool:
    return os.environ.get(name, "").lower() == "true"


class Deployment:
    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen = chosen
        self.tls = is_on("MAHAVISHNU_TLS_ENABLED")
        self.headers = {"Authorization": f"Bearer {chosen.token}"} if chosen.token else {}

    def context(self, version: ssl.TLSVersion | None = None) -> ssl.SSLContext | None:
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.chosen.ca)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context

    def get(self, port: int, path: str, headers: dict[str, str]) -> bytes:
        url = f"{'https' if self.tls else 'http'}://{self.chosen.host}:{port}{path}"
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=HTTP_SECONDS, context=self.context()) as answer:
            assert answer.status == 200, answer.status
            return answer.read()

    async def first_frame(self, version: ssl.TLSVersion | None = None) -> dict[str, Any]:
        url = f"{'wss' if self.tls else 'ws'}://{self.chosen.host}:{self.chosen.port}"
        headers = {"additional_headers": self.headers} if self.headers else {}
        async with connect(url, ssl=self.context(version), **headers) as websocket:
            frame = json.loads(await asyncio.wait_for(websocket.recv(), FRAME_SECONDS))
            secured = websocket.transport.get_extra_info("ssl_object")
            return {"frame": frame["type"], "version": secured.version() if secured else None}

    # --- checks ---

    def health(self) -> Any:
        body = json.loads(self.get(self.chosen.port, "/health", {}))
        assert body["status"] == "healthy", body
        assert all(state == "passing" for state in body.get("checks", {}).values()), body
        assert isinstance(body["metrics"]["active_connections"], int), body
        return body["status"]

    def metrics(self) -> Any:
        text = self.get(self.chosen.metrics_port, "/metrics", self.headers).decode()
        missing = [name for name in METRICS if name not in text]
        assert not missing, missing
        return len(text)

    def websocket(self) -> Any:
        return asyncio.run(self.first_frame())["frame"]

    def tls_versions(self) -> Any:
        if not self.tls:
            return "off"
        versions = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
        seen = [asyncio.run(self.first_frame(version))["version"] for version in versions]
        assert seen == ["TLSv1.2", "TLSv1.3"], seen
        return seen

    def environment(self) -> Any:
        if is_on("MAHAVISHNU_AUTH_ENABLED"):
            assert len(os.environ.get("MAHAVISHNU_JWT_SECRET", "")) >= MINIMUM_SECRET, "MAHAVISHNU_JWT_SECRET is too short"
        return {"tls": self.tls, "auth": is_on("MAHAVISHNU_AUTH_ENABLED")}


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=8686)
    arguments.add_argument("--metrics-port", type=int, default=9090)
    arguments.add_argument("--ca", default=None, help="a file with the authority's certificate")
    arguments.add_argument("--token", default=None)
    deployment = Deployment(arguments.parse_args())
    passed = True
    checks: list[Callable[[], Any]] = [
        deployment.health,
        deployment.metrics,
        deployment.websocket,
        deployment.tls_versions,
        deployment.environment,
    ]
    for check in checks:
        try:
            print(json.dumps({"check": check.__name__, "passed": True, "saw": check()}), flush=True)
        except Exception as problem:  # noqa: BLE001
            passed = False
            told = f"{type(problem).__name__}: {problem}"
            print(json.dumps({"check": check.__name__, "passed": False, "saw": told}), flush=True)
    return 0 if passed else 1


raise SystemExit(main())
