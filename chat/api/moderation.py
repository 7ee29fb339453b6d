"""Moderation in a room (ours; the contract leaves it to the application)."""

from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from chat import moderation, queries
from chat.access import Rank
from chat.api import outputs, schema, serializers
from chat.api.base import ChatViewSet, room_id_of
from chat.errors import RoomAccessDenied
from chat.models import Sanction
from core.wire import chatapi


class ModerationViewSet(ChatViewSet):
    """Mutes, bans and kicks in one room."""

    @schema.mute
    @action(detail=False, methods=["post"])
    def mute(self, request: Request, room_id: str) -> Response:
        moderation.mute(**self._sanction(room_id))
        return chatapi.ok(message="User muted successfully")

    @schema.ban
    @action(detail=False, methods=["post"])
    def ban(self, request: Request, room_id: str) -> Response:
        moderation.ban(**self._sanction(room_id))
        return chatapi.ok(message="User banned successfully")

    @schema.kick
    @action(detail=False, methods=["post"])
    def kick(self, request: Request, room_id: str) -> Response:
        body = self.body(serializers.ModeratingOnce).validated_data
        moderation.kick(**self._about(room_id, body), reason=body["reason"], now=self.now)
        return chatapi.ok(message="User kicked successfully")

    @schema.unmute
    @action(detail=False, methods=["post"])
    def unmute(self, request: Request, room_id: str) -> Response:
        return self._lift(room_id, Sanction.Kind.MUTE)

    @schema.unban
    @action(detail=False, methods=["post"])
    def unban(self, request: Request, room_id: str) -> Response:
        return self._lift(room_id, Sanction.Kind.BAN)

    @schema.sanctions
    @action(detail=False)
    def sanctions(self, request: Request, room_id: str) -> Response:
        """Those in force, newest first; for moderators."""
        room = self.caller.conversation(room_id_of(room_id))
        if self.caller.rank(room.pk, acting_as=self.caller.own_user_id) < Rank.MODERATOR:
            raise RoomAccessDenied
        chosen = queries.sanctions_in_force(room.pk, now=self.now)
        rows = chosen.values("user_id", "kind", "reason", "created_at", "expires_at")
        return self.page(rows, output=outputs.SANCTION, total=queries.bounded_total(chosen))

    def _sanction(self, room_id: str) -> dict[str, Any]:
        checked = self.body(serializers.Moderating)
        body = checked.validated_data
        return {
            **self._about(room_id, body),
            "reason": body["reason"],
            "expires_at": checked.expiry(self.now),
            "now": self.now,
        }

    def _lift(self, room_id: str, kind: Sanction.Kind) -> Response:
        about = self._about(room_id, self.body(serializers.ModeratingOnce).validated_data)
        lifted = moderation.lift(**about, kind=kind, now=self.now)
        return chatapi.ok(outputs.LIFTED.of({"lifted": lifted}), message="Done")

    def _about(self, room_id: str, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "caller": self.caller,
            "room_id": room_id_of(room_id),
            "acting_as": self.caller.own_user_id or body.get("moderator_id"),
            "user_id": body["user_id"],
        }
