"""The envelope as existing Python clients model it. Every frame that the server sends must pass `decode`."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, Field


class MessageType(str, Enum):
    REQUEST = "request"
    RESPONSE = "response"
    EVENT = "event"
    ERROR = "error"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    PING = "ping"
    PONG = "pong"
    ACK = "ack"


class Envelope(BaseModel):
    id: str = Field(default_factory=lambda: str(uuid.uuid4()))
    correlation_id: str | None = None
    type: MessageType
    event: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    timestamp: str = Field(default_factory=lambda: datetime.now().isoformat())
    room: str | None = None
    error_code: str | None = None
    error_message: str | None = None


KEYS = list(Envelope.model_fields)


def encode(message: Envelope) -> str:
    return message.model_dump_json()


def decode(frame: str | bytes) -> Envelope:
    """Decode a frame, and insist on what the server promises of it: all nine keys, in order, before any other."""
    assert isinstance(frame, str), "expected a text frame"
    keys = list(json.loads(frame))
    assert keys[: len(KEYS)] == KEYS, f"expected the keys {KEYS} first, got {keys}"
    message = Envelope.model_validate_json(frame)
    assert str(uuid.UUID(message.id)) == message.id, f"expected a lower-case UUID, got {message.id}"
    assert datetime.fromisoformat(message.timestamp).utcoffset() is not None, message.timestamp
    return message


def request(event: str, data: dict[str, Any]) -> Envelope:
    """A request with two different ids of its own: the habit of existing clients."""
    return Envelope(
        type=MessageType.REQUEST, event=event, data=data, correlation_id=str(uuid.uuid4())
    )
