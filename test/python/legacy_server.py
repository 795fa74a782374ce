"""A server that behaves as the existing Python ones do, on `websockets`.

It knows no positions and no wildcards, answers requests only, echoes nothing but the correlation id, and asks for a token
in the first frame where it asks for one. It reads commands from standard input, a line each, and tells what it sees on
standard output.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from datetime import datetime, timezone
from typing import Any

from pydantic import ValidationError
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from envelope import Envelope, MessageType, encode

FACTS: dict[str, Any] = json.loads(sys.stdin.readline())
#: What each token stands for: `user_id` and `permissions`.
TOKENS: dict[str, dict[str, Any]] = FACTS.get("tokens", {})
AUTH_REQUIRED: bool = FACTS.get("authRequired", False)
#: Messages a second of one connection; None for no limit.
RATE: float | None = FACTS.get("rate")
BURST_FACTOR = 1.5

rooms: dict[str, set[ServerConnection]] = {}


def say(word: str, *more: object) -> None:
    print(word, *more, flush=True)


class Bucket:
    """A message takes one token; they come back at RATE."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.tokens = self.size = rate * BURST_FACTOR
        self.at = time.monotonic()

    def seconds_to_wait(self) -> float:
        now = time.monotonic()
        self.tokens = min(self.size, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) / self.rate
        self.tokens -= 1
        return 0.0


class Talk:
    """One connection."""

    def __init__(self, websocket: ServerConnection, number: int) -> None:
        self.websocket = websocket
        self.number = number
        self.user: dict[str, Any] | None = None
        self.bucket = Bucket(RATE) if RATE else None

    async def send(self, message: Envelope) -> None:
        await self.websocket.send(encode(message))

    async def respond(self, to: Envelope, data: dict[str, Any]) -> None:
        kind, event = MessageType.RESPONSE, to.event
        await self.send(Envelope(type=kind, event=event, correlation_id=to.correlation_id, data=data))

    async def refuse(self, code: str, text: str, to: Envelope | None = None) -> None:
        correlation_id = to.correlation_id if to else None
        kind = MessageType.ERROR
        await self.send(
            Envelope(type=kind, correlation_id=correlation_id, error_code=code, error_message=text)
        )

    def read(self, frame: str | bytes) -> Envelope:
        say("frame", self.number, frame if isinstance(frame, str) else frame.decode())
        return Envelope.model_validate_json(frame)

    async def authenticate(self) -> bool:
        """Take the first frame, which must be the token's."""
        try:
            first = self.read(await self.websocket.recv())
        except ValidationError:
            await self.websocket.close(1011, "Authentication error")
            return False
        if first.type is not MessageType.REQUEST or first.event != "auth":
            await self.refuse("AUTH_REQUIRED", "Authentication required")
            await self.websocket.close(1008, "Authentication required")
            return False
        token = first.data.get("token")
        self.user = TOKENS.get(token) if isinstance(token, str) else None
        if self.user is None:
            known = isinstance(token, str) and token
            text = "Invalid or expired token" if known else "Missing or malformed auth token"
            await self.refuse("AUTH_FAILED", text, first)
            await self.websocket.close(1008, "Authentication failed")
            return False
        await self.respond(first, {"status": "authenticated", "user_id": self.user["user_id"]})
        return True

    async def run(self) -> None:
        if AUTH_REQUIRED and not await self.authenticate():
            return
        data = {
            "connection_id": str(uuid.uuid4()),
            "server": "mahavishnu",
            "message": "Connected to Mahavishnu orchestration",
            "authenticated": self.user is not None,
            "secure": False,
            "rate_limit": RATE or 100,
        }
        await self.send(Envelope(type=MessageType.EVENT, event="session.created", data=data))
        async for frame in self.websocket:
            try:
                message = self.read(frame)
            except ValidationError as error:
                await self.refuse("DECODE_ERROR", str(error))
                continue
            seconds = self.bucket.seconds_to_wait() if self.bucket else 0.0
            if seconds > 0:
                text = f"Message rate limit exceeded. Retry after {seconds:.3f} seconds."
                await self.refuse("RATE_LIMIT_EXCEEDED", text, message)
            elif message.type is MessageType.REQUEST:
                await self.request(message)
            # Nothing else is answered, whatever it is.

    async def request(self, message: Envelope) -> None:
        channel = message.data.get("channel")
        if message.event in ("subscribe", "unsubscribe"):
            if not channel:
                return
            if message.event == "unsubscribe":
                rooms.get(channel, set()).discard(self.websocket)
            elif not self.may_join(channel):
                return await self.refuse("FORBIDDEN", f"Not authorized to subscribe to {channel}", message)
            else:
                rooms.setdefault(channel, set()).add(self.websocket)
            return await self.respond(message, {"status": f"{message.event}d", "channel": channel})
        if message.event == "get_workflow_status":
            workflow_id = message.data.get("workflow_id")
            if workflow_id:
                stages = {"stages_completed": 0, "total_stages": 10}
                await self.respond(message, {"workflow_id": workflow_id, "status": "running", **stages})
            return
        await self.refuse("UNKNOWN_REQUEST", f"Unknown request event: {message.event}", message)

    def may_join(self, channel: str) -> bool:
        if self.user is None:
            return True
        kind = channel.partition(":")[0]
        return bool({"admin", f"{kind}:read"} & set(self.user["permissions"]))


async def broadcast(room: str, event: str, data: dict[str, Any]) -> None:
    data = {"timestamp": datetime.now(timezone.utc).isoformat(), **data}
    message = Envelope(type=MessageType.EVENT, event=event, data=data, room=room)
    for websocket in list(rooms.get(room, ())):
        try:
            await websocket.send(encode(message))
        except ConnectionClosed:
            pass


async def main() -> None:
    count = 0

    async def handle(websocket: ServerConnection) -> None:
        nonlocal count
        count += 1
        talk = Talk(websocket, count)
        say("open", talk.number)
        try:
            await talk.run()
        except ConnectionClosed:
            pass
        for members in rooms.values():
            members.discard(websocket)
        await websocket.wait_closed()
        say("closed", talk.number, websocket.close_code)

    server = await serve(handle, "127.0.0.1", FACTS.get("port", 0))
    say("listening", server.sockets[0].getsockname()[1])
    loop = asyncio.get_running_loop()
    while True:
        command, _, more = (await loop.run_in_executor(None, sys.stdin.readline)).strip().partition(" ")
        if command == "broadcast":
            await broadcast(**json.loads(more))
        elif command == "stop":
            server.close()
            await server.wait_closed()
            return
        else:
            # `die`, or the test has gone: no word to anybody.
            os._exit(0)


asyncio.run(main())
