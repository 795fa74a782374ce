"""The Python layer's way of broadcasting: `sequential` awaits one send after the other, `broadcast` hands the message to
the function of that name of the `websockets` package. Ends when its standard input does."""

import asyncio
import json
import sys

import websockets
from websockets.asyncio.server import broadcast, serve

SEQUENTIAL = sys.argv[1] == "sequential"
subscribers = set()


async def handle(socket):
    try:
        async for text in socket:
            if text[0] != "!":
                subscribers.add(socket)
                await socket.send("joined")
                continue
            event = text[1:]
            if SEQUENTIAL:
                for subscriber in list(subscribers):
                    await subscriber.send(event)
            else:
                broadcast(subscribers, event)
            await socket.send("done")
    except websockets.ConnectionClosed:
        pass
    finally:
        subscribers.discard(socket)


async def main():
    async with serve(handle, "127.0.0.1", 0, compression=None, ping_interval=None, max_queue=None) as server:
        port = server.sockets[0].getsockname()[1]
        print(json.dumps({"websocket": port}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
