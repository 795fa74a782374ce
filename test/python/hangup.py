"""Starts a program in a terminal of its own, and acts on it as a person does.

Reads one line of facts (command), prints `ready` when the program serves. For each line that comes after it: `reload` sends SIGHUP
while the terminal is there, `close` closes the terminal, and prints how the program has ended.
"""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sys

facts = json.loads(sys.stdin.readline())
child, terminal = pty.fork()
if child == 0:
    os.execvp(facts["command"][0], facts["command"])
said = b""


def read_until(text: bytes) -> None:
    global said
    while text not in said:
        select.select([terminal], [], [])
        said += os.read(terminal, 65536)


read_until(b"Stop with Ctrl-C")
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "reload":
        os.kill(child, signal.SIGHUP)
        read_until(b"Settings were read again")
        print("reloaded", flush=True)
    else:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
        print(f"ended {os.waitstatus_to_exitcode(status)}", flush=True)
        break
