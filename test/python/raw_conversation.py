"""The conversation, held by a raw client."""

from __future__ import annotations

from envelope import MessageType
from raw_client import RawClient
from talk import Script, run


async def greeted(script: Script) -> RawClient:
    client = RawClient(script.url)
    await client.connect()
    welcome = await client.recv()
    assert welcome.type is MessageType.EVENT and welcome.event == script.welcome, welcome
    assert welcome.room is None, welcome
    script.check_welcome(welcome.data)
    return client


async def subscribed(script: Script, client: RawClient, **more: object) -> dict:
    answer = await client.request("subscribe", {"channel": script.channel, **more})
    assert answer.type is MessageType.RESPONSE and answer.event == "subscribe", answer
    assert answer.data["status"] == "subscribed", answer
    assert answer.data["channel"] == script.channel, answer
    return answer.data


async def triggered(script: Script, client: RawClient, n: int) -> dict:
    """Send the nth trigger, and read its answer and then its event. Returns the event's data."""
    answer = await client.request(script.triggers[n]["name"], script.triggers[n]["data"])
    assert answer.type is MessageType.RESPONSE, answer
    event = await client.recv()
    assert event.type is MessageType.EVENT and event.event == script.event, event
    assert event.room == script.channel and event.correlation_id is None, event
    script.check_event(n, event.data)
    return event.data


async def talk(script: Script) -> None:
    client = await greeted(script)
    await subscribed(script, client)
    await triggered(script, client, 0)

    error = await client.request("no_such_request", {})
    assert error.type is MessageType.ERROR and error.error_code == "UNKNOWN_REQUEST", error
    assert error.error_message == "Unknown request event: no_such_request", error
    error = await client.request("subscribe", {"channel": "nonsense:1"})
    assert error.error_code == "INVALID_CHANNEL" and "nonsense" in error.error_message, error
    error = await client.request("subscribe", {})
    assert error.error_code == "INVALID_CHANNEL", error
    error = await client.request(script.triggers[1]["name"], {})
    assert error.error_code == "INVALID_DATA", error
    await client.send("not json")
    assert (await client.recv()).error_code == "DECODE_ERROR"
    await client.send(b"\xff\xfe")
    assert (await client.recv()).error_code == "DECODE_ERROR"

    await client.send({"type": "ping", "id": "p1"})
    pong = await client.recv()
    assert pong.type is MessageType.PONG and pong.correlation_id == "p1" and pong.data == {}, pong
    await client.send(b'{"type":"ping","correlation_id":"p2"}')
    pong = await client.recv()
    assert pong.type is MessageType.PONG and pong.correlation_id == "p2", pong
    await (await client.websocket.ping())

    for n in range(2):
        # Also where it never subscribed.
        answer = await client.request("unsubscribe", {"channel": script.channel})
        assert answer.type is MessageType.RESPONSE and answer.data["status"] == "unsubscribed", answer
    answer = await client.request(script.triggers[1]["name"], script.triggers[1]["data"])
    assert answer.type is MessageType.RESPONSE, answer
    # The event would be here before the answer to what is asked after it.
    await client.send({"type": "ping"})
    assert (await client.recv()).type is MessageType.PONG

    # The other two forms of subscribe are acknowledged.
    for kind in ("event", "subscribe"):
        await client.send({"type": kind, "event": "subscribe", "data": {"room": script.channel}, "id": kind})
        ack = await client.recv()
        assert ack.type is MessageType.ACK and ack.correlation_id == kind, ack
    await client.disconnect()


async def restart(script: Script) -> None:
    client = await greeted(script)
    await subscribed(script, client)
    await triggered(script, client, 0)
    position = await client.request("subscribe", {"channel": script.channel})
    script.say("subscribed")
    code, reason = await client.closed()
    assert code == 1001, (code, reason)
    # Meanwhile the test restarts the server and makes the second event happen, with nobody there to read it.
    assert await script.hear() == "restarted"
    client = await greeted(script)
    since = {"epoch": position.data["epoch"], "seq": position.data["seq"]}
    data = await subscribed(script, client, since=since)
    assert data["recovered"] is True, data
    missed = await client.recv()
    assert missed.event == script.event and missed.room == script.channel, missed
    script.check_event(1, missed.data)
    await triggered(script, client, 2)
    await client.disconnect()


async def refused(script: Script, frame: dict | str, code: int, reason: str) -> dict | None:
    """Connect, send a first frame and be refused. Returns the error frame's fields."""
    client = RawClient(script.url)
    await client.connect()
    await client.send(frame)
    fields = None
    if code == 1008:
        error = await client.recv()
        assert error.type is MessageType.ERROR and error.data == {}, error
        fields = {"code": error.error_code, "text": error.error_message, "to": error.correlation_id}
    assert await client.closed() == (code, reason), await client.closed()
    return fields


async def auth(script: Script) -> None:
    def login(data: dict, kind: str = "request") -> dict:
        return {"type": kind, "event": "auth", "data": data, "id": "a1"}

    failed = (1008, "Authentication failed")
    required = (1008, "Authentication required")
    for token in ("forged", "expired", "nonsense"):
        error = await refused(script, login({"token": script.tokens.get(token, token)}), *failed)
        assert error == {"code": "AUTH_FAILED", "text": "Invalid or expired token", "to": "a1"}, error
    for data in ({}, {"token": 5}, {"token": ""}):
        error = await refused(script, login(data), *failed)
        assert error == {"code": "AUTH_FAILED", "text": "Missing or malformed auth token", "to": "a1"}, error
    ask = {"type": "request", "event": "subscribe", "data": {"channel": script.channel}, "id": "a1"}
    for frame in (ask, {"type": "ping"}, login({"token": script.tokens["all"]}, "event")):
        error = await refused(script, frame, *required)
        assert error == {"code": "AUTH_REQUIRED", "text": "Authentication required", "to": None}, error
    await refused(script, "not json", 1011, "Authentication error")

    client = RawClient(script.url)
    await client.connect()
    answer = await client.request("auth", {"token": script.tokens["all"]})
    assert answer.type is MessageType.RESPONSE and answer.event == "auth", answer
    assert answer.data == {"status": "authenticated", "user_id": "ada"}, answer
    welcome = await client.recv()
    assert welcome.event == script.welcome, welcome
    script.check_welcome(welcome.data, authenticated=True)
    await subscribed(script, client)
    await triggered(script, client, 0)
    answer = await client.request("refresh_token", {"token": script.tokens["all"]})
    assert answer.data == {"status": "refreshed", "user_id": "ada"}, answer
    answer = await client.request("refresh_token", {"token": script.tokens["forged"]})
    assert answer.error_code == "AUTH_FAILED", answer
    await triggered(script, client, 1)
    await client.disconnect()

    client = RawClient(script.url)
    await client.connect()
    answer = await client.request("auth", {"token": script.tokens["reader"]})
    assert answer.data["status"] == "authenticated", answer
    assert (await client.recv()).event == script.welcome
    await subscribed(script, client)
    answer = await client.request(script.triggers[1]["name"], script.triggers[1]["data"])
    assert answer.error_code == "FORBIDDEN", answer
    await client.disconnect()

    client = RawClient(script.url)
    await client.connect()
    answer = await client.request("auth", {"token": script.tokens["stranger"]})
    assert answer.data["status"] == "authenticated", answer
    assert (await client.recv()).event == script.welcome
    answer = await client.request("subscribe", {"channel": script.channel})
    assert answer.error_code == "FORBIDDEN", answer
    assert answer.error_message == f"Not authorized to subscribe to {script.channel}", answer
    await client.disconnect()


run({"talk": talk, "restart": restart, "auth": auth})
