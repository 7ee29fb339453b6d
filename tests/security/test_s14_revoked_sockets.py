"""Freezing, a new password, signing out everywhere and a revoked key close every kind of socket within 5 seconds."""

import time
from collections.abc import Callable, Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts import freezing, sign_in
from accounts.api_keys import issue_key, revoke_key
from accounts.credentials import access_token
from accounts.models import ApiClient, ApiKey, User
from chat import conversations, tenant_rooms
from chat import tickets as chat_tickets
from chat.models import Conversation
from core.db import clock
from core.db.transactions import use_case
from core.tests.servers import Valkey
from tests.support.servers import WebServer, environment

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def web(transactional_db, tmp_path, settings) -> Iterator[WebServer]:
    valkey = Valkey(tmp_path)
    valkey.start()
    settings.REDIS_URL = valkey.url
    server = WebServer(environment(tmp_path, REDIS_URL=valkey.url)).start()
    yield server
    server.kill()
    valkey.stop()


def freeze(player: User, staff: User) -> None:
    freezing.freeze_user(user_id=player.pk, actor=staff, reason="fraud", now=clock.now())


def change_password(player: User, staff: User) -> None:
    player.set_password("another password of hers")
    player.save()


def sign_out_everywhere(player: User, staff: User) -> None:
    sign_in.sign_out_everywhere(user_id=player.pk)


@pytest.fixture
def sockets(web, player, make_room) -> Iterator[list[ClientConnection]]:
    """The player's sockets of every kind: lobby, a room's stream, a game room's chat."""
    room = make_room()
    token = access_token(player, now=clock.now())
    chat_room = chat_room_of(player)
    paths = [f"/ws/game-rooms?token={token}", f"/ws/game-rooms/{room.pk}?token={token}", chat_room]
    opened = [connect(f"{web.ws_url}{path}", open_timeout=10) for path in paths]
    for socket in opened:
        socket.recv(timeout=10)
    yield opened
    for socket in opened:
        socket.close()


def chat_room_of(player: User) -> str:
    @use_case
    def make() -> Conversation:
        made = conversations.open_conversation(
            kind=Conversation.Kind.GAME_ROOM, client=None, name="x", description="", meta={}, now=clock.now()
        )
        conversations.add_member(conversation_id=made.pk, user=player, now=clock.now())
        return made

    made = make()
    ticket = chat_tickets.issue(
        chat_tickets.Claim(
            conversation_id=made.pk,
            user_id=str(player.pk),
            user_name=None,
            key_id=None,
            account_id=player.pk,
            password_mark=player.password_mark,
        )
    )
    return f"/ws/{made.pk}?token={ticket}"


def close_code(socket: ClientConnection, deadline: float) -> int | None:
    """The code that the socket closes with in time."""
    try:
        while True:
            socket.recv(timeout=max(0.01, deadline - time.monotonic()))
    except ConnectionClosed as closed:
        return None if closed.rcvd is None else closed.rcvd.code


@pytest.mark.parametrize("revoke", [freeze, change_password, sign_out_everywhere])
def test_every_socket_of_the_user_closes(sockets, player, staff, revoke: Callable[[User, User], None]):
    revoke(player, staff)
    deadline = time.monotonic() + 5
    assert [close_code(socket, deadline) for socket in sockets] == [4001, 4001, 4001]


def test_socket_of_a_revoked_key_closes(web):
    client = ApiClient.objects.create(name="tenant")
    issued = issue_key(client=client, scopes=[ApiKey.Scope.CHAT], now=clock.now())
    room = tenant_rooms.create_room(client=client, name="Lounge", description="", meta={}, now=clock.now())
    with connect(f"{web.ws_url}/ws/{room.pk}?token={issued.text}", open_timeout=10) as socket:
        socket.recv(timeout=10)
        revoke_key(key=issued.key, now=clock.now())
        assert close_code(socket, time.monotonic() + 5) == 4001
