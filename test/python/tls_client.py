"""A client by the `websockets` library that checks the certificate, as existing clients do over TLS."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import traceback
from typing import Any

from websockets.asyncio.client import connect

from envelope import decode

PATIENCE_SECONDS = 30.0
#: The suites that a test of existing deployments offers for TLS 1.2.
SUITES = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"


def context_of(facts: dict[str, Any], newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=facts["ca"])
    context.maximum_version = newest
    if newest == ssl.TLSVersion.TLSv1_2:
        context.set_ciphers(SUITES)
    return context


async def converse(facts: dict[str, Any], newest: ssl.TLSVersion) -> str:
    """Subscribe, cause an event, and see it; the version that was agreed on."""
    context = context_of(facts, newest)
    async with connect(facts["url"], ssl=context) as websocket:
        version = websocket.transport.get_extra_info("ssl_object").version()
        await websocket.send(
            json.dumps({"type": "request", "id": "1", "event": "subscribe", "data": {"channel": "global"}})
        )
        session_id = f"python-{newest.name}"
        start = {"session_id": session_id, "project": "python"}
        await websocket.send(json.dumps({"type": "request", "id": "2", "event": "start_session", "data": start}))
        while True:
            frame = decode(await websocket.recv())
            if frame.event == "welcome":
                assert frame.data["secure"] is True and frame.data["tls_mode"] == "WSS", frame.data
            if frame.event == "session.created" and frame.room == "global":
                assert frame.data["session_id"] == session_id, frame.data
                return version


async def refused(url: str, context: ssl.SSLContext | None) -> str:
    """The name of the error that ends the attempt."""
    try:
        async with connect(url, ssl=context):
            return "nothing"
    except Exception as error:  # noqa: BLE001
        return type(error).__name__


async def main() -> None:
    facts = json.loads(sys.stdin.readline())
    seen = {
        "newest": await converse(facts, ssl.TLSVersion.TLSv1_3),
        "older": await converse(facts, ssl.TLSVersion.TLSv1_2),
        "untrusting": await refused(facts["url"], ssl.create_default_context()),
        "plain": await refused(facts["url"].replace("wss:", "ws:"), None),
    }
    print(json.dumps(seen), flush=True)


try:
    asyncio.run(asyncio.wait_for(main(), PATIENCE_SECONDS))
except BaseException:
    traceback.print_exc()
    raise SystemExit(1)
