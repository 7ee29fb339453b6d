"""What the platform tells of by webhook, and who may ask for what (pure; docs/webhooks.md shows each)."""

from collections.abc import Mapping

from django.db import models


class EventType(models.TextChoices):
    """The name on the wire, and what it says."""

    SESSION_OPENED = "session.opened", "A session can be joined"
    SESSION_STARTED = "session.started", "A session runs"
    SESSION_ENDED = "session.ended", "A session has ended; its prizes are paid"
    SESSION_REFUNDED = "session.refunded", "A session was called off or voided; everybody got the fee back"
    PARTICIPANT_JOINED = "participant.joined", "Somebody paid for a place"
    PARTICIPANT_LEFT = "participant.left", "Somebody gave a place back"
    POT_PAID = "pot.paid", "Players paid into a pot"
    POT_EARNED = "pot.earned", "A pot paid players"
    POT_ENDED = "pot.ended", "A pot is over, empty"
    POT_CLOSED = "pot.closed", "A pot ran out of time; its rest went to the game's owner"
    JOB_FINISHED = "job.finished", "A pot's job is done"
    JOB_FAILED = "job.failed", "A pot's job was refused"
    WALLET_DEPOSITED = "wallet.deposited", "Staff created tokens in a wallet"
    WALLET_WITHDRAWN = "wallet.withdrawn", "Staff destroyed tokens of a wallet"
    MESSAGE_CREATED = "chat.message.created", "A message was posted"
    MESSAGE_UPDATED = "chat.message.updated", "A message was edited or brought back"
    MESSAGE_DELETED = "chat.message.deleted", "A message was deleted"
    CHAT_JOINED = "chat.participant.joined", "Somebody came into a chat room"
    CHAT_LEFT = "chat.participant.left", "Somebody left a chat room, or was put out"
    ROOM_DEACTIVATED = "chat.room.deactivated", "A chat room was closed"
    ROOM_ACTIVATED = "chat.room.activated", "A chat room was opened again"
    MODERATED = "chat.moderation.acted", "A moderator, tenant or member of staff acted"


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
