"""`/api/v1/game-rooms`: masters make rooms, everybody looks at them (contract: rooms)."""

from dataclasses import asdict
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import AuthedNestView
from accounts.standing import Standing
from core.redis import tickets
from core.wire.nest import ok, parse_page
from rooms import offers, queries
from rooms.api import schema, shapes
from rooms.api.filters import RoomFilter, filtered
from rooms.api.serializers import CreateRoomInput, EditRoomInput, IdQuery, RoomQuery
from rooms.errors import RoomInvalid, RoomNotFound
from rooms.prizes import prize_shares
from rooms.terms import TermsChange

# What a ticket for the streams is good for (rooms.consumers).
TICKET_PURPOSE = "game-rooms"


class GameRoomsView(AuthedNestView):
    """The collection: list, create, change (PATCH ?id=), delete (DELETE ?id=)."""

    @schema.list_rooms
    def get(self, request: Request) -> Response:
        page = parse_page(request.query_params)
        rooms = filtered(RoomFilter, request.query_params, queries.visible_rooms())
        return ok(
            "Game rooms fetched successfully",
            data=[shapes.room(row, self.now) for row in queries.room_rows(rooms[page.slice])],
            pagination=page.pagination(queries.bounded_total(rooms)),
        )

    @schema.create_room
    def post(self, request: Request) -> Response:
        body = CreateRoomInput(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        terms = values["game_room"]
        room = offers.create_room(
            actor=self.caller,
            game_id=values["game_type_id"],
            name=terms.get("name"),
            symbol=terms.get("symbol"),
            entry_fee_minor=terms["participation_amount"],
            prize_table=_prize_rows(values["game_set_prizes"], terms["prizes_num"]),
            now=self.now,
            max_participants=terms.get("max_participants"),
            join_window_seconds=terms.get("join_window_seconds"),
            run_seconds=terms.get("run_seconds"),
        )
        # 200 and not 201: the documents' own answer, the data is ours (contract: rooms, "create room status").
        return ok("Game room created successfully", data={"id": room.pk, "name": room.name})

    @schema.edit_room
    def patch(self, request: Request) -> Response:
        room_id = _id_of(request, IdQuery, "id")
        body = EditRoomInput(data=request.data)
        body.is_valid(raise_exception=True)
        change = _change(body.validated_data)
        room = offers.edit_room(actor=self.caller, room_id=room_id, change=change, now=self.now)
        applied = room.pending_change is None
        return ok("Game room updated successfully", data={"id": room.pk, "name": room.name, "applied": applied})

    @schema.delete_room
    def delete(self, request: Request) -> Response:
        offers.delete_room(actor=self.caller, room_id=_id_of(request, IdQuery, "id"), now=self.now)
        return ok("Game room deleted successfully")


class GameRoomView(AuthedNestView):
    """One room with its prizes and the joiners of its current session."""

    @schema.get_room
    def get(self, request: Request) -> Response:
        row = queries.room_row(_id_of(request, RoomQuery, "room_id"))
        if row is None:
            raise RoomNotFound()
        session_id = row["current_session__id"]
        joiners = queries.participant_rows(queries.entries_of([session_id])) if session_id else []
        may_manage = self.caller.is_staff or row["owner_id"] == self.caller.pk
        detail = shapes.room_detail(row, joiners, may_manage=may_manage, now=self.now)
        return ok("Game room details fetched successfully", data=detail)


class TicketView(AuthedNestView):
    """A one-use ticket for a browser to open a room's stream or the lobby with."""

    @schema.issue_ticket
    def post(self, request: Request) -> Response:
        ticket = tickets.issue(purpose=TICKET_PURPOSE, claim=asdict(Standing.of(self.caller)))
        data = {"ticket": ticket, "expires_in": tickets.LIFETIME_SECONDS}
        return ok("Ticket issued successfully", data=data, status=201)


def _id_of(request: Request, query: type[Any], name: str) -> int:
    bound = query(data=request.query_params)
    bound.is_valid(raise_exception=True)
    value: int = bound.validated_data[name]
    return value


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
        max_participants=room.get("max_participants"),
        join_window_seconds=room.get("join_window_seconds"),
        run_seconds=room.get("run_seconds"),
    )
    if not change.asked():
        raise RoomInvalid("Nothing to update")
    return change
