"""Looks after WebSocket servers as the scripts of existing deployments do.

Basic: opens a TCP connection and drops it without a word. With --advanced: connects, sends a ping, and wants a frame within
a second. Slower than 100 ms is degraded. Prints one JSON object; exit code 0: all healthy, 1: some, 2: none.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import time
from typing import Any

from websockets.asyncio.client import connect

HEALTHY_MS = 100.0
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 1.0


async def touch(server: dict[str, Any]) -> None:
    _, writer = await asyncio.wait_for(asyncio.open_connection(server["host"], server["port"]), CONNECT_SECONDS)
    writer.close()


async def ping(server: dict[str, Any]) -> None:
    async with connect(f"ws://{server['host']}:{server['port']}", open_timeout=CONNECT_SECONDS) as websocket:
        await websocket.send(json.dumps({"type": "ping", "id": f"health_check_{int(time.time())}"}))
        frame = json.loads(await asyncio.wait_for(websocket.recv(), ANSWER_SECONDS))
        if frame.get("type") not in ("pong", "event", "response"):
            raise ValueError(f"expected a pong, an event or a response, got {frame.get('type')}")


async def check(server: dict[str, Any], advanced: bool) -> dict[str, Any]:
    started = time.perf_counter()
    error = None
    try:
        await (ping if advanced else touch)(server)
    except Exception as problem:  # noqa: BLE001
        error = f"{type(problem).__name__}: {problem}"
    latency_ms = (time.perf_counter() - started) * 1_000
    status = "unhealthy" if error else "healthy" if latency_ms <= HEALTHY_MS else "degraded"
    return {
        **server,
        "status": status,
        "latency_ms": round(latency_ms, 2),
        "error": error,
        "check_time": datetime.datetime.now(datetime.timezone.utc).isoformat(),
    }


async def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--advanced", action="store_true")
    arguments.add_argument("--config", required=True, help="JSON with the key websocket_servers")
    chosen = arguments.parse_args()
    with open(chosen.config, encoding="utf-8") as file:
        servers = json.load(file)["websocket_servers"]
    checked = [await check(server, chosen.advanced) for server in servers]
    count = {status: sum(one["status"] == status for one in checked) for status in ("healthy", "degraded", "unhealthy")}
    print(
        json.dumps(
            {
                "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
                "servers": checked,
                "summary": {"total": len(checked), **count},
            }
        )
    )
    if count["healthy"] == len(checked):
        return 0
    return 1 if count["healthy"] > 0 else 2


raise SystemExit(asyncio.run(main()))
