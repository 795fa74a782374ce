"""A client with the habits of the one that existing Python programs use.

It finds answers by the id of its request, though each request also carries another correlation id. It subscribes with
events that name a `room`, and reads no acknowledgement. After an `auth` request it takes exactly one frame for the answer.
Handlers get an event's data and nothing else. When the connection is lost, whatever the close code, it comes back.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from envelope import Envelope, MessageType, decode, encode, request

Handler = Callable[[dict[str, Any]], Awaitable[None]]

MAX_DELAY_SECONDS = 60.0


class AuthenticationError(Exception):
    pass


class ReconnectingClient:
    def __init__(
        self,
        uri: str,
        token: str | None = None,
        reconnect: bool = True,
        max_reconnect_attempts: int = 5,
        reconnect_delay: float = 1.0,
    ) -> None:
        self.uri = uri
        self.token = token
        self.reconnect = reconnect
        self.max_reconnect_attempts = max_reconnect_attempts
        self.reconnect_delay = reconnect_delay
        self.connection_id = str(uuid.uuid4())
        self.is_connected = False
        self.is_authenticated = False
        self.subscribed_rooms: set[str] = set()
        #: Close codes seen, for the test; the client itself tells none from another.
        self.close_codes: list[int | None] = []
        #: Frames that were read, for the test.
        self.frames: list[Envelope] = []
        self._websocket: ClientConnection | None = None
        self._handlers: dict[str, list[Handler]] = {}
        self._pending: dict[str, asyncio.Future[Envelope]] = {}
        self._receiver: asyncio.Task[None] | None = None

    def on_event(self, event: str, handler: Handler) -> None:
        self._handlers.setdefault(event, []).append(handler)

    async def connect(self) -> None:
        self._websocket = await connect(self.uri)
        self.is_connected = True
        self.is_authenticated = False
        if self.token is not None:
            await self._authenticate(self._websocket, self.token)
        self._receiver = asyncio.create_task(self._receive(self._websocket))

    async def disconnect(self) -> None:
        self.reconnect = False
        self.is_connected = False
        if self._websocket is not None:
            await self._websocket.close()
        if self._receiver is not None:
            await self._receiver

    async def subscribe_to_room(self, room: str) -> None:
        self.subscribed_rooms.add(room)
        await self.send_event("subscribe", {"room": room})

    async def unsubscribe_from_room(self, room: str) -> None:
        self.subscribed_rooms.discard(room)
        await self.send_event("unsubscribe", {"room": room})

    async def send_event(self, event: str, data: dict[str, Any]) -> None:
        await self.send(Envelope(type=MessageType.EVENT, event=event, data=data))

    async def send_request(
        self, event: str, data: dict[str, Any] | None = None, timeout: float = 30.0
    ) -> Envelope:
        return await self.ask(request(event, data or {}), timeout)

    async def ask(self, message: Envelope, timeout: float) -> Envelope:
        """Send a message and wait for the frame whose correlation id is the message's id. An error is an answer."""
        future: asyncio.Future[Envelope] = asyncio.get_running_loop().create_future()
        self._pending[message.id] = future
        try:
            await self.send(message)
            return await asyncio.wait_for(future, timeout)
        finally:
            self._pending.pop(message.id, None)

    async def send(self, message: Envelope) -> None:
        if self._websocket is None or not self.is_connected:
            raise ConnectionError("Not connected")
        await self._websocket.send(encode(message))

    async def ping_socket(self) -> None:
        """A ping of the protocol's own, and its answer."""
        assert self._websocket is not None
        await (await self._websocket.ping())

    async def _authenticate(self, websocket: ClientConnection, token: str) -> None:
        await websocket.send(encode(request("auth", {"token": token})))
        answer = decode(await websocket.recv())
        self.frames.append(answer)
        if answer.type is MessageType.ERROR:
            self.is_connected = False
            await websocket.wait_closed()
            self.close_codes.append(websocket.close_code)
            raise AuthenticationError(answer.error_message)
        # Anything but a response leaves it connected and unauthenticated.
        self.is_authenticated = answer.type is MessageType.RESPONSE

    async def _receive(self, websocket: ClientConnection) -> None:
        try:
            async for text in websocket:
                await self._handle(decode(text))
        except ConnectionClosed:
            pass
        self.is_connected = False
        self.close_codes.append(websocket.close_code)
        if self.reconnect:
            await self._reconnect()

    async def _handle(self, message: Envelope) -> None:
        self.frames.append(message)
        if message.type is MessageType.EVENT and message.event:
            for handler in self._handlers.get(message.event, []):
                await handler(message.data)
        elif message.correlation_id in self._pending:
            future = self._pending[message.correlation_id]
            if not future.done():
                future.set_result(message)

    async def _reconnect(self) -> None:
        for attempt in range(self.max_reconnect_attempts):
            await asyncio.sleep(min(self.reconnect_delay * 2**attempt, MAX_DELAY_SECONDS))
            try:
                await self.connect()
            except (OSError, AuthenticationError):
                continue
            for room in self.subscribed_rooms:
                await self.send_event("subscribe", {"room": room})
            return
