"""The conversation, held by a client with the habits of the one that existing Python programs use."""

from __future__ import annotations

import asyncio
from typing import Any

from envelope import Envelope, MessageType
from reconnecting_client import AuthenticationError, ReconnectingClient
from talk import PATIENCE_SECONDS, Script, run


class Listening:
    """A client, and what its handlers heard."""

    def __init__(self, script: Script, **options: Any) -> None:
        self.script = script
        self.client = ReconnectingClient(script.url, **options)
        self.welcomes: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.client.on_event(script.welcome, self.welcomes.put)
        self.client.on_event(script.event, self.events.put)

    async def welcome(self, authenticated: bool = False) -> None:
        data = await asyncio.wait_for(self.welcomes.get(), PATIENCE_SECONDS)
        self.script.check_welcome(data, authenticated)

    async def trigger(self, n: int) -> Envelope:
        trigger = self.script.triggers[n]
        return await self.client.send_request(trigger["name"], trigger["data"], timeout=PATIENCE_SECONDS)

    async def event(self, n: int) -> None:
        self.script.check_event(n, await asyncio.wait_for(self.events.get(), PATIENCE_SECONDS))

    async def ping(self) -> Envelope:
        return await self.client.ask(Envelope(type=MessageType.PING), PATIENCE_SECONDS)


async def talk(script: Script) -> None:
    listening = Listening(script)
    client = listening.client
    await client.connect()
    assert client.is_connected and not client.is_authenticated
    await listening.welcome()
    await client.subscribe_to_room(script.channel)
    answer = await listening.trigger(0)
    assert answer.type is MessageType.RESPONSE, answer
    assert answer.event == script.triggers[0]["name"], answer
    await listening.event(0)

    error = await client.send_request("no_such_request", {})
    assert error.type is MessageType.ERROR and error.error_code == "UNKNOWN_REQUEST", error
    assert error.error_message == "Unknown request event: no_such_request", error
    pong = await listening.ping()
    assert pong.type is MessageType.PONG, pong
    await client.ping_socket()

    await client.unsubscribe_from_room(script.channel)
    assert (await listening.trigger(1)).type is MessageType.RESPONSE
    # The event would be here before the answer to what is asked after it.
    assert (await listening.ping()).type is MessageType.PONG
    assert listening.events.empty()

    # Subscribing as the first thing after connecting works as well.
    second = Listening(script)
    await second.client.connect()
    await second.client.subscribe_to_room(script.channel)
    assert (await listening.trigger(2)).type is MessageType.RESPONSE
    await second.event(2)
    assert second.client.frames[0].type is MessageType.ACK, second.client.frames
    await second.welcome()
    await second.client.disconnect()
    await client.disconnect()
    assert client.close_codes == [1000], client.close_codes


async def restart(script: Script) -> None:
    listening = Listening(script, reconnect_delay=0.1)
    client = listening.client
    await client.connect()
    await listening.welcome()
    await client.subscribe_to_room(script.channel)
    assert (await listening.trigger(0)).type is MessageType.RESPONSE
    await listening.event(0)
    script.say("subscribed")
    assert await script.hear() == "restarted"
    await listening.welcome()
    assert client.close_codes == [1001], client.close_codes
    # It has subscribed again by itself; the answer to a ping says that the server knows.
    assert (await listening.ping()).type is MessageType.PONG
    script.say("back")
    await listening.event(2)
    await client.disconnect()


async def auth(script: Script) -> None:
    listening = Listening(script, token=script.tokens["all"])
    client = listening.client
    await client.connect()
    assert client.is_authenticated
    await listening.welcome(authenticated=True)
    await client.subscribe_to_room(script.channel)
    assert (await listening.trigger(0)).type is MessageType.RESPONSE
    await listening.event(0)
    await client.disconnect()

    for name, text in (("forged", "Invalid or expired token"), ("expired", "Invalid or expired token")):
        client = ReconnectingClient(script.url, token=script.tokens[name])
        try:
            await client.connect()
            raise AssertionError(f"a token that is {name} was accepted")
        except AuthenticationError as error:
            assert str(error) == text, error
        assert not client.is_connected and client.close_codes == [1008], client.close_codes
    client = ReconnectingClient(script.url, token="")
    try:
        await client.connect()
        raise AssertionError("an empty token was accepted")
    except AuthenticationError as error:
        assert str(error) == "Missing or malformed auth token", error

    client = ReconnectingClient(script.url, reconnect=False)
    await client.connect()
    await client.subscribe_to_room(script.channel)
    await asyncio.wait_for(client._receiver, PATIENCE_SECONDS)
    assert [frame.error_code for frame in client.frames] == ["AUTH_REQUIRED"], client.frames
    assert client.close_codes == [1008], client.close_codes


async def optional(script: Script) -> None:
    """Authentication is possible and not required."""
    listening = Listening(script, token=script.tokens["all"])
    await listening.client.connect()
    assert listening.client.is_authenticated
    await listening.welcome(authenticated=True)
    await listening.client.disconnect()

    # It takes the welcome for the answer, and stays: connected, not authenticated.
    listening = Listening(script, token=script.tokens["forged"])
    client = listening.client
    await client.connect()
    assert client.is_connected and not client.is_authenticated
    assert client.frames[0].event == script.welcome, client.frames
    await client.subscribe_to_room(script.channel)
    assert (await listening.trigger(0)).type is MessageType.RESPONSE
    await listening.event(0)
    assert "AUTH_FAILED" in [frame.error_code for frame in client.frames], client.frames
    await client.disconnect()


run({"talk": talk, "restart": restart, "auth": auth, "optional": optional})
