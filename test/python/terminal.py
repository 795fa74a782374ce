"""A program at a terminal: starts it on a pseudo-terminal, says what it draws, and types what it is told to.

The first line on standard input says what to run: {"command": [...], "folder": "...", "environment": {...}}. Each further
one is typed: {"keys": "..."}. Each line on standard output is {"output": "..."}, and the last one {"code": ...}.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios

COLUMNS, ROWS = 100, 30
PATIENCE_SECONDS = 90


def say(**facts):
    print(json.dumps(facts), flush=True)


def main():
    facts = json.loads(sys.stdin.readline())
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(facts["folder"])
        os.execve(facts["command"][0], facts["command"], facts["environment"])
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.alarm(PATIENCE_SECONDS)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    typing = True
    while True:
        ready, _, _ = select.select([terminal] + ([sys.stdin.buffer.raw] if typing else []), [], [])
        if terminal in ready:
            try:
                drawn = os.read(terminal, 65536)
            except OSError:
                drawn = b""
            if not drawn:
                break
            say(output=drawn.decode("utf-8", "replace"))
        if sys.stdin.buffer.raw in ready:
            typed = os.read(sys.stdin.fileno(), 65536)
            typing = bool(typed)
            for line in typed.splitlines():
                os.write(terminal, json.loads(line)["keys"].encode())
    _, status = os.waitpid(pid, 0)
    say(code=os.waitstatus_to_exitcode(status))


main()
