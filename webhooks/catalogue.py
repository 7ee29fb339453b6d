"""What the platform tells of by webhook, and who may ask for what (pure; docs/webhooks.md shows each)."""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class EventType(models.TextChoices):
    """The name on the wire, and what it says."""

    SESSION_OPENED = "session.opened", _("A session can be joined")
    SESSION_STARTED = "session.started", _("A session runs")
    SESSION_ENDED = "session.ended", _("A session has ended; its prizes are paid")
    SESSION_REFUNDED = "session.refunded", _("A session was called off or voided; everybody got the fee back")
    PARTICIPANT_JOINED = "participant.joined", _("Somebody paid for a place")
    PARTICIPANT_LEFT = "participant.left", _("Somebody gave a place back")
    POT_PAID = "pot.paid", _("Players paid into a pot")
    POT_EARNED = "pot.earned", _("A pot paid players")
    POT_ENDED = "pot.ended", _("A pot is over, empty")
    POT_CLOSED = "pot.closed", _("A pot ran out of time; its rest went to the game's owner")
    JOB_FINISHED = "job.finished", _("A pot's job is done")
    JOB_FAILED = "job.failed", _("A pot's job was refused")
    WALLET_DEPOSITED = "wallet.deposited", _("Staff created tokens in a wallet")
    WALLET_WITHDRAWN = "wallet.withdrawn", _("Staff destroyed tokens of a wallet")
    MESSAGE_CREATED = "chat.message.created", _("A message was posted")
    MESSAGE_UPDATED = "chat.message.updated", _("A message was edited or brought back")
    MESSAGE_DELETED = "chat.message.deleted", _("A message was deleted")
    CHAT_JOINED = "chat.participant.joined", _("Somebody came into a chat room")
    CHAT_LEFT = "chat.participant.left", _("Somebody left a chat room, or was put out")
    ROOM_DEACTIVATED = "chat.room.deactivated", _("A chat room was closed")
    ROOM_ACTIVATED = "chat.room.activated", _("A chat room was opened again")
    MODERATED = "chat.moderation.acted", _("A moderator, tenant or member of staff acted")


# Sent to one endpoint by its owner or staff, whatever it has asked for.
TEST = "webhook.test"

_SESSIONS = tuple(kind for kind in EventType if kind.value.startswith(("session.", "participant.")))
_POTS = tuple(kind for kind in EventType if kind.value.startswith(("pot.", "job.")))
_WALLETS = tuple(kind for kind in EventType if kind.value.startswith("wallet."))
_CHAT = tuple(kind for kind in EventType if kind.value.startswith("chat."))

PLATFORM, MASTER, TENANT, GAME = "platform", "master", "tenant", "game"

# Who asks → what there can be for it. A client that acts for a game is also a tenant of the chat.
ALLOWED: Mapping[str, frozenset[str]] = {
    PLATFORM: frozenset((*_SESSIONS, *_POTS, *_WALLETS, *_CHAT)),
    MASTER: frozenset(_SESSIONS),
    TENANT: frozenset(_CHAT),
    GAME: frozenset((*_SESSIONS, *_POTS, *_CHAT)),
}
