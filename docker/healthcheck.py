"""Is this container well? ``web``: its own server answers. ``tick``: beat and a worker have worked lately."""

import http.client
import os
import sys
import time
from pathlib import Path

import redis

TIMEOUT_SECONDS = 4
# As in core.observability.health, which is not imported: settings and all, that takes longer than the question.
HEARTBEAT_KEY = "health:tick"
STALE_SECONDS = 30


def is_web_well() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=TIMEOUT_SECONDS)
    connection.request("GET", "/livez")
    return connection.getresponse().status == http.client.OK


def is_tick_fresh() -> bool:
    file = os.environ.get("REDIS_URL_FILE")
    url = Path(file).read_text().strip() if file else os.environ["REDIS_URL"]
    with redis.Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS) as client:
        beat = client.get(HEARTBEAT_KEY)
        now = client.time()[0]
    return beat is not None and now - float(beat) < STALE_SECONDS


CHECKS = {"web": is_web_well, "tick": is_tick_fresh}

if __name__ == "__main__":
    try:
        well = CHECKS[sys.argv[1]]()
    except (OSError, http.client.HTTPException, redis.RedisError) as error:
        sys.exit(f"{time.strftime('%X')} {error}")
    sys.exit(0 if well else f"{time.strftime('%X')} not well")
