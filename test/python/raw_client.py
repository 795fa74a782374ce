"""A client of a few lines: the `websockets` library, one frame read after the other."""

from __future__ import annotations

import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from envelope import Envelope, decode


class RawClient:
    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.websocket: ClientConnection | None = None
        self._count = 0

    async def connect(self) -> None:
        self.websocket = await connect(self.uri)

    async def send(self, frame: dict[str, Any] | str | bytes) -> None:
        assert self.websocket is not None
        await self.websocket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def recv(self) -> Envelope:
        assert self.websocket is not None
        return decode(await self.websocket.recv())

    async def request(self, event: str, data: dict[str, Any]) -> Envelope:
        """Send a request that carries only an `id`. The next frame must be its answer."""
        self._count += 1
        request_id = f"raw-{self._count}"
        await self.send({"type": "request", "id": request_id, "event": event, "data": data})
        answer = await self.recv()
        assert answer.correlation_id == request_id, f"expected {request_id}, got {answer}"
        return answer

    async def closed(self) -> tuple[int | None, str | None]:
        assert self.websocket is not None
        await self.websocket.wait_closed()
        return self.websocket.close_code, self.websocket.close_reason

    async def disconnect(self) -> None:
        assert self.websocket is not None
        await self.websocket.close()
