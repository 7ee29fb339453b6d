"""Who is online in a conversation: leases in Redis, one per socket (building blocks; contract: chat, "Presence").

A socket renews its lease while it lives; one that vanished, with its process or without, lets it run out. Two sorted
sets with the time of expiry as score: the conversation's users, and each user's sockets, so that several sockets, in
several processes, count once. Somebody comes or goes when the first set changes, which one script call does and
reports: to one caller, once. Times are the Redis server's. Every call raises ``RedisAway`` when Redis is away.
"""

import functools
import uuid
from collections.abc import Sequence
from typing import Any

from core.redis import connection as redis_connection

LEASE_SECONDS = 35
RENEW_SECONDS = 10

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# KEYS: the conversation's users, then each user's sockets. ARGV: lease in ms, then user and socket per key.
# Answers the users that were not there.
_RENEW = (
    _NOW
    + """
local lease, came = tonumber(ARGV[1]), {}
for i = 2, #KEYS do
    local user, socket = ARGV[2 * i - 2], ARGV[2 * i - 1]
    redis.call('ZADD', KEYS[i], now + lease, socket)
    redis.call('PEXPIRE', KEYS[i], lease)
    if redis.call('ZADD', KEYS[1], now + lease, user) == 1 then
        came[#came + 1] = user
    end
end
redis.call('PEXPIRE', KEYS[1], 4 * lease)
return came
"""
)
# KEYS: the conversation's users, the user's sockets. ARGV: user, socket. Answers 1 when it was the user's last one.
_LEAVE = (
    _NOW
    + """
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local latest = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if latest[1] then
    redis.call('ZADD', KEYS[1], 'XX', latest[2], ARGV[1])
    return 0
end
return redis.call('ZREM', KEYS[1], ARGV[1])
"""
)
# KEYS: the conversation's users. Answers those whose last lease ran out.
_EXPIRE = (
    _NOW
    + """
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)
if #gone > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
end
return gone
"""
)
_ONLINE = _NOW + "return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')"


def renew(conversation_id: uuid.UUID, sockets: Sequence[tuple[str, str]]) -> list[str]:
    """Begin or prolong the leases of ``(user_id, socket_id)`` pairs; the users that came online by it."""
    keys, arguments = [_users_key(conversation_id)], [str(LEASE_SECONDS * 1000)]
    for user_id, socket_id in sockets:
        keys.append(_sockets_key(conversation_id, user_id))
        arguments += [user_id, socket_id]
    return _texts(_call(_RENEW, keys, arguments))


def leave(conversation_id: uuid.UUID, user_id: str, socket_id: str) -> bool:
    """End one lease; whether the user went offline by it."""
    keys = [_users_key(conversation_id), _sockets_key(conversation_id, user_id)]
    return bool(_call(_LEAVE, keys, [user_id, socket_id]))


def expire(conversation_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Take out the users whose leases have run out, and name them: each is named to one caller only. One round trip."""

    def run(client: Any) -> list[list[bytes]]:
        script = client.register_script(_EXPIRE)
        pipeline = client.pipeline(transaction=False)
        for conversation_id in conversation_ids:
            script([_users_key(conversation_id)], client=pipeline)
        answers: list[list[bytes]] = pipeline.execute()
        return answers

    answers = redis_connection.run(run) if conversation_ids else []
    gone = zip(conversation_ids, map(_texts, answers), strict=True)
    return {conversation_id: users for conversation_id, users in gone if users}


def online_users(conversation_id: uuid.UUID) -> list[str]:
    """The ids of the users online now, in alphabetical order."""
    return sorted(_texts(_call(_ONLINE, [_users_key(conversation_id)], [])))


def _users_key(conversation_id: uuid.UUID) -> str:
    # The braces keep the keys of one conversation together on a cluster.
    return f"chat:online:{{{conversation_id}}}"


def _sockets_key(conversation_id: uuid.UUID, user_id: str) -> str:
    return f"{_users_key(conversation_id)}:{user_id}"


def _call(script: str, keys: Sequence[str], arguments: Sequence[str]) -> Any:
    return redis_connection.run(functools.partial(_run, script, keys, arguments))


def _run(script: str, keys: Sequence[str], arguments: Sequence[str], client: Any) -> Any:
    return client.register_script(script)(keys, arguments)


def _texts(values: Sequence[bytes]) -> list[str]:
    return [value.decode() for value in values]
