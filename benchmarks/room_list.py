"""The room list against what DRF's ModelSerializer makes of the same rows.

    python -m gameplatform.launcher.throwaway -- python -m benchmarks.room_list

Three ways to the same 100 rooms with game, owner and current session, each a view called in this process:

    ours        GET /api/v1/game-rooms: one statement for plain rows, shaped by functions, written by orjson
    joined      nested ModelSerializers over ``select_related``, DRF's own JSON renderer and a count: careful DRF
    plain       the same without ``select_related``: what the serializers do when nobody thinks of the statements

All check the same access token, answer the same keys and run without rate limits. The calls take turns one by one; the
median counts. Takes less than a minute.
"""

import os
import statistics
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")
os.environ["RATE_LIMITS_ENABLED"] = "false"

import django

django.setup()

from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIRequestFactory

from accounts.api.authentication import PlatformJWTAuthentication
from accounts.credentials import access_token
from accounts.models import Game, User
from benchmarks import scratch
from core.db import clock
from rooms import offers
from rooms.api.room_views import GameRoomViewSet
from rooms.models import Room, Session

ROOMS = 100
CALLS = 100


class GameSerializer(serializers.ModelSerializer):
    class Meta:
        model = Game
        fields = ["id", "name", "symbol", "status"]


class OwnerSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "username"]


class SessionSerializer(serializers.ModelSerializer):
    time_start = serializers.DateTimeField(source="starts_at")
    time_end = serializers.DateTimeField(source="ends_at")
    session = serializers.CharField(source="code")
    can_join = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = [
            "id",
            "status",
            "time_start",
            "time_end",
            "session",
            "participants_count",
            "max_participants",
            "can_join",
        ]

    def get_can_join(self, session: Session) -> bool:
        is_open = session.opens_at <= self.context["now"] < session.starts_at
        return session.status == "pending" and is_open and session.participants_count < session.max_participants


class RoomSerializer(serializers.ModelSerializer):
    participation_amount = serializers.SerializerMethodField()
    prizes_num = serializers.SerializerMethodField()
    total_amount = serializers.SerializerMethodField()
    game_type_id = GameSerializer(source="game")
    owner_id = OwnerSerializer(source="owner")
    current_session = SessionSerializer()

    class Meta:
        model = Room
        fields = [
            "id",
            "name",
            "symbol",
            "participation_amount",
            "prizes_num",
            "total_amount",
            "game_type_id",
            "status",
            "owner_id",
            "event_seq",
            "current_session",
        ]

    def get_participation_amount(self, room: Room) -> float:
        return room.entry_fee_minor / 100

    def get_prizes_num(self, room: Room) -> int:
        return len(room.prize_shares_bp)

    def get_total_amount(self, room: Room) -> float:
        session = room.current_session
        return session.entry_fee_minor * session.participants_count / 100 if session else 0


class Pages(PageNumberPagination):
    page_size_query_param = "limit"


class PlainView(ListAPIView):
    authentication_classes = [PlatformJWTAuthentication]
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]
    serializer_class = RoomSerializer
    pagination_class = Pages
    queryset = Room.objects.exclude(status="deleted").order_by("-id")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": clock.now()}


class JoinedView(PlainView):
    queryset = PlainView.queryset.select_related("game", "owner", "current_session")


def fill() -> User:
    scratch.gold()
    master, game = scratch.master_and_game()
    for number in range(ROOMS):
        offers.create_room(
            actor=master,
            game_id=game.pk,
            name=f"room {number} {uuid.uuid4().hex}",
            symbol="BENCH",
            entry_fee_minor=1_050,
            prize_table=[(1, Decimal(60)), (2, Decimal(40))],
            now=clock.now(),
        )
    return master


def keys(item: Any) -> Any:
    """The nested names in an answer."""
    return {name: keys(value) for name, value in item.items()} if isinstance(item, dict) else None


def main() -> None:
    with scratch.database():
        token = access_token(fill(), now=clock.now())
        factory = APIRequestFactory(headers={"Authorization": f"Bearer {token}"})
        views: dict[str, Callable[..., Any]] = {
            "ours": GameRoomViewSet.as_view({"get": "list"}),
            "joined": JoinedView.as_view(),
            "plain": PlainView.as_view(),
        }

        def call(way: str) -> Any:
            answer = views[way](factory.get("/", {"page": 1, "limit": ROOMS})).render()
            assert answer.status_code == 200
            return answer

        statements: dict[str, int] = {}
        shapes = []
        for way in views:
            with CaptureQueriesContext(
                connection,
            ) as seen:
                body = call(way).data
            statements[way] = len(seen)
            items = body["data" if way == "ours" else "results"]
            assert len(items) == ROOMS
            shapes.append(keys(items[0]))
        assert shapes[0] == shapes[1] == shapes[2]
        durations: dict[str, list[float]] = {way: [] for way in views}
        for _ in range(CALLS):
            for way, taken in durations.items():
                started = time.perf_counter()
                call(way)
                taken.append(1_000 * (time.perf_counter() - started))
    medians = {way: statistics.median(taken) for way, taken in durations.items()}
    print(f"A page of {ROOMS} rooms, the median of {CALLS} calls; × of ours\n")
    print(f"{'':8}{'ms':>8}{'':>8}{'statements':>14}")
    for way, median in medians.items():
        print(f"{way:8}{median:8.1f}{median / medians['ours']:6.1f} ×{statements[way]:14}")


if __name__ == "__main__":
    main()
