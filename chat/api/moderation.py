"""Moderation in a room (ours; the contract leaves it to the application)."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from chat import moderation, queries
from chat.access import Rank
from chat.api import serializers
from chat.api.base import ChatView, message_id_of, room_id_of
from chat.errors import RoomAccessDenied
from chat.models import Sanction
from core.wire import chatapi


class _SanctionView(ChatView):
    def acting_as(self, named: str | None) -> str | None:
        return self.caller.own_user_id or named


class MuteView(_SanctionView):
    def post(self, request: Request, room_id: str) -> Response:
        """Let a participant read but not post."""
        body = self.body(serializers.Moderating)
        moderation.mute(
            caller=self.caller,
            room_id=room_id_of(room_id),
            acting_as=self.acting_as(body.validated_data.get("moderator_id")),
            user_id=body.validated_data["user_id"],
            reason=body.validated_data["reason"],
            expires_at=body.expiry(self.now),
            now=self.now,
        )
        return chatapi.ok(message="User muted successfully")


class BanView(_SanctionView):
    def post(self, request: Request, room_id: str) -> Response:
        """Put a user out and keep it out."""
        body = self.body(serializers.Moderating)
        moderation.ban(
            caller=self.caller,
            room_id=room_id_of(room_id),
            acting_as=self.acting_as(body.validated_data.get("moderator_id")),
            user_id=body.validated_data["user_id"],
            reason=body.validated_data["reason"],
            expires_at=body.expiry(self.now),
            now=self.now,
        )
        return chatapi.ok(message="User banned successfully")


class KickView(_SanctionView):
    def post(self, request: Request, room_id: str) -> Response:
        """Put a participant out; it may join again."""
        body = self.body(serializers.ModeratingOnce).validated_data
        moderation.kick(
            caller=self.caller,
            room_id=room_id_of(room_id),
            acting_as=self.acting_as(body.get("moderator_id")),
            user_id=body["user_id"],
            reason=body["reason"],
            now=self.now,
        )
        return chatapi.ok(message="User kicked successfully")


class _LiftView(_SanctionView):
    kind: ClassVar[Sanction.Kind]

    def post(self, request: Request, room_id: str) -> Response:
        """End a mute or ban before its time."""
        body = self.body(serializers.ModeratingOnce).validated_data
        lifted = moderation.lift(
            caller=self.caller,
            room_id=room_id_of(room_id),
            acting_as=self.acting_as(body.get("moderator_id")),
            user_id=body["user_id"],
            kind=self.kind,
            now=self.now,
        )
        return chatapi.ok({"lifted": lifted}, message="Done")


class UnmuteView(_LiftView):
    kind = Sanction.Kind.MUTE


class UnbanView(_LiftView):
    kind = Sanction.Kind.BAN


class SanctionsView(ChatView):
    def get(self, request: Request, room_id: str) -> Response:
        """The mutes and bans in force, newest first; for moderators."""
        query = self.query(serializers.PageQuery)
        room = self.caller.conversation(room_id_of(room_id))
        if self.caller.rank(room.pk, acting_as=self.caller.own_user_id) < Rank.MODERATOR:
            raise RoomAccessDenied
        skip, limit = query["skip"], query["limit"]
        chosen = queries.sanctions_in_force(room.pk, now=self.now)
        rows = chosen.values("user_id", "kind", "reason", "created_at", "expires_at")[skip : skip + limit]
        total = queries.bounded_total(chosen)
        return chatapi.ok(
            [chatapi.sanction(row) for row in rows],
            pagination=chatapi.pagination(skip=skip, limit=limit, total=total, has_more=skip + limit < total),
        )


class ReportView(ChatView):
    def post(self, request: Request, message_id: str) -> Response:
        """Tell the moderators about a message; a second time by the same user changes nothing."""
        body = self.body(serializers.Reporting).validated_data
        is_new = moderation.report(
            caller=self.caller,
            message_id=message_id_of(message_id),
            reporter_id=self.speaker(body.get("user_id"), field="user_id"),
            reason=body["reason"],
            now=self.now,
        )
        return chatapi.ok(message="Message reported successfully", status=201 if is_new else 200)
