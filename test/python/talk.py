"""What both conversations share: the script of a test, and the two of them taking turns with the test that started them."""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

#: How long anything may take, on a busy machine.
PATIENCE_SECONDS = 15.0


class Script:
    """Facts from the test, and turns: `say` a line, then `hear` the test's own."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.url: str = facts["url"]
        self.server: str = facts["server"]
        self.welcome: str = facts["welcome"]
        self.channel: str = facts["channel"]
        self.event: str = facts["event"]
        self.triggers: list[dict[str, Any]] = facts["triggers"]
        self.tokens: dict[str, str] = facts.get("tokens", {})

    def say(self, line: str) -> None:
        print(line, flush=True)

    async def hear(self) -> str:
        line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        assert line, "the test has gone"
        return line.strip()

    def check_welcome(self, data: dict[str, Any], authenticated: bool = False) -> None:
        assert data["connection_id"], data
        assert data["server"] == self.server, data
        assert isinstance(data["message"], str) and data["message"], data
        assert data["authenticated"] is authenticated, data
        assert data["secure"] is False, data

    def check_event(self, n: int, data: dict[str, Any]) -> None:
        for key, value in self.triggers[n]["shows"].items():
            assert data[key] == value, f"expected {key} to be {value}, got {data}"
        assert data["timestamp"], data


def run(parts: dict[str, Callable[[Script], Awaitable[None]]]) -> None:
    """Play the part that the command line names. The last line is `done`, or the fault goes to standard error."""
    script = Script(json.loads(sys.stdin.readline()))

    async def play() -> None:
        await asyncio.wait_for(parts[sys.argv[1]](script), 2 * PATIENCE_SECONDS)

    try:
        asyncio.run(play())
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        # A thread that waits for standard input must not keep the process.
        import os

        os._exit(1)
    script.say("done")
