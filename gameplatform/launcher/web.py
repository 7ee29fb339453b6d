"""The web server as a child of the launcher: uvicorn on a socket that the launcher already listens on.

The socket outlives the process: while a web server that died is started again, callers wait instead of being refused.
"""

import argparse
import socket

import uvicorn

# A frame of chat is at most 64 KB like an HTTP body; the rest is its JSON envelope.
MAX_WEBSOCKET_MESSAGE_BYTES = 128 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameplatform.launcher.web")
    parser.add_argument("--fd", type=int, required=True, help="the listening socket, inherited")
    listener = socket.socket(fileno=parser.parse_args().fd)
    config = uvicorn.Config(
        "gameplatform.asgi:application",
        lifespan="off",
        log_config=None,  # the settings' logging
        # Both the access log and the notes on sockets hold query strings, and those hold tokens.
        access_log=False,
        log_level="warning",
        # Who is calling is decided by TRUSTED_PROXY_COUNT, not by any header of a local caller.
        proxy_headers=False,
        server_header=False,
        ws_max_size=MAX_WEBSOCKET_MESSAGE_BYTES,
        # One frame goes to many sockets: compressing it for each of them costs far more than it saves.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=3,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
