"""`/api/v1/game-rooms`: masters make rooms, every signed-in user may read them (contract: rooms)."""

from dataclasses import asdict
from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import AuthedNestViewSet
from accounts.standing import Standing
from core.redis import tickets
from core.wire.fields import checked
from core.wire.filtering import StrictFilterBackend
from core.wire.nest import ok
from rooms import offers, queries, stream
from rooms.api import outputs, schema
from rooms.api.filters import RoomFilter
from rooms.api.serializers import CreateRoomInput, EditRoomInput, IdQuery, RoomQuery
from rooms.errors import RoomInvalid, RoomNotFound
from rooms.prizes import prize_shares
from rooms.terms import COUNT_TERMS, TermsChange


class GameRoomViewSet(AuthedNestViewSet):
    """Rooms: list, create, change (PATCH ?id=), delete (DELETE ?id=)."""

    filter_backends = [StrictFilterBackend]
    filterset_class = RoomFilter

    @schema.list_rooms
    def list(self, request: Request) -> Response:
        rooms = self.filter_queryset(queries.visible_rooms())
        rows = queries.room_rows(self.paginate_queryset(rooms), self.now)
        return ok(
            schema.LISTED,
            data=outputs.ROOM.many(rows),
            pagination=self.pagination(queries.bounded_total(rooms)),
        )

    @schema.create_room
    def create(self, request: Request) -> Response:
        values = checked(CreateRoomInput, request.data)
        terms = values["game_room"]
        room = offers.create_room(
            actor=self.caller,
            game_id=values["game_type_id"],
            name=terms.get("name"),
            symbol=terms.get("symbol"),
            entry_fee_minor=terms["participation_amount"],
            prize_table=_prize_rows(values["game_set_prizes"], terms["prizes_num"]),
            now=self.now,
            **{name: terms.get(name) for name in COUNT_TERMS},
        )
        # 200 and not 201: the documents' own answer, the data is ours (contract: rooms, "create room status").
        return ok(schema.CREATED, data=outputs.ROOM_NAMED.of(vars(room)))

    @schema.edit_room
    def change(self, request: Request) -> Response:
        room_id = checked(IdQuery, request.query_params)["id"]
        change = _change(checked(EditRoomInput, request.data))
        room = offers.edit_room(actor=self.caller, room_id=room_id, change=change, now=self.now)
        return ok(schema.EDITED, data=outputs.ROOM_EDITED.of(vars(room)))

    @schema.delete_room
    def remove(self, request: Request) -> Response:
        offers.delete_room(actor=self.caller, room_id=checked(IdQuery, request.query_params)["id"], now=self.now)
        return ok(schema.DELETED)

    @schema.get_room
    @action(detail=False, url_path="find-by-id", filterset_class=None)
    def find_by_id(self, request: Request) -> Response:
        """Show the room with its prizes and the joiners of its current session."""
        row = queries.room_row(checked(RoomQuery, request.query_params)["room_id"], self.now)
        if row is None:
            raise RoomNotFound()
        session_id = row["current_session__id"]
        joiners = queries.participant_rows(queries.entries_of([session_id])) if session_id else []
        may_manage = self.caller.is_staff or row["owner__id"] == self.caller.pk
        detail = outputs.ROOM_DETAIL.of({**row, "joiners": joiners, "may_manage": may_manage})
        return ok(schema.DETAILED, data=detail)

    @schema.issue_ticket
    @action(detail=False, methods=["post"])
    def ticket(self, request: Request) -> Response:
        """Issue a one-use ticket for a browser to open a room's stream or the lobby with."""
        ticket = tickets.issue(purpose=stream.TICKET_PURPOSE, claim=asdict(Standing.of(self.caller)))
        data = {"ticket": ticket, "expires_in": tickets.LIFETIME_SECONDS}
        return ok(schema.TICKET, data=outputs.TICKET.of(data), status=201)


def _prize_rows(prizes: list[dict[str, Any]], prizes_num: int) -> list[tuple[int, Any]]:
    if prizes_num != len(prizes):
        raise RoomInvalid("Game room prizes number must be equal to the number of prizes")
    return [(prize["rank"], prize["percent"]) for prize in prizes]


def _change(values: dict[str, Any]) -> TermsChange:
    """Both documented forms of the body as one change; where both name a term, the nested form counts."""
    room = values.get("game_room", {})
    prizes = values.get("game_set_prizes")
    if prizes is None and "prizes_num" in room:
        raise RoomInvalid("Game room prizes number must be equal to the number of prizes")
    shares = None
    if prizes is not None:
        shares = prize_shares(_prize_rows(prizes, room.get("prizes_num", len(prizes))))
    change = TermsChange(
        name=room.get("name", values.get("name_new")),
        symbol=room.get("symbol", values.get("symbol")),
        entry_fee_minor=room.get("participation_amount", values.get("participation_amount_new")),
        prize_shares_bp=shares,
        **{name: room.get(name) for name in COUNT_TERMS},
    )
    if not change.asked():
        raise RoomInvalid("Nothing to update")
    return change
