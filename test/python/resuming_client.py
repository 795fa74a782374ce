"""A client of a few lines that resumes: it comes back with the position of the last event that it has seen.

Reads one line of facts (url, channel, last), says `subscribed`, and when it has heard the change of number `last` prints what it
has heard: the numbers in order, gaps, and how many connections that took.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

PAUSE_SECONDS = 0.05


async def main(facts: dict[str, Any]) -> None:
    heard: list[int] = []
    gaps: list[dict[str, Any]] = []
    connections = 0
    since: dict[str, Any] | None = None
    while facts["last"] not in heard:
        try:
            async with connect(facts["url"]) as websocket:
                connections += 1
                wish = {"channel": facts["channel"], **({"since": since} if since else {})}
                await websocket.send(json.dumps({"type": "request", "id": "s", "event": "subscribe", "data": wish}))
                async for text in websocket:
                    frame = json.loads(text)
                    if frame["correlation_id"] == "s":
                        if since is None:
                            since = {"epoch": frame["data"]["epoch"], "seq": frame["data"]["seq"]}
                            print("subscribed", flush=True)
                        elif frame["data"].get("recovered") is not True:
                            gaps.append(frame)
                    elif frame["room"] == facts["channel"] and frame["event"] == "gap":
                        gaps.append(frame)
                    elif frame["room"] == facts["channel"] and "seq" in frame:
                        since = {"epoch": frame["epoch"], "seq": frame["seq"]}
                        if frame["event"] == "session.updated":
                            heard.append(frame["data"]["changes"]["n"])
                            if heard[-1] == facts["last"]:
                                break
        except (OSError, ConnectionClosed, InvalidHandshake, EOFError):
            pass
        await asyncio.sleep(PAUSE_SECONDS)
    print(json.dumps({"heard": heard, "gaps": gaps, "connections": connections}), flush=True)


asyncio.run(main(json.loads(sys.stdin.readline())))
