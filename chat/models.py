"""Conversations, their members and messages, and what moderators did.

Written by `chat.conversations`, `chat.messages` and `chat.moderation` only. The counts and ``last_seq`` of a
conversation stand on its row and are exact: nothing that a user can see is counted over messages or members.
"""

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiClient, User
from core.db import clock

USER_ID_LENGTH_MAX = 128
NAME_LENGTH_MAX = 200
# Made by the first migration (`chat/migrations/0001_initial.py`).
SEARCH_CONFIGURATION = "public.chat_text"
# Stands for "no client" where an index has to find it, as it cannot find NULL.
NO_CLIENT_KEY = 0


def search_vector() -> Func:
    """The indexed words of a message: case and accents do not count (`chat/migrations/0001_initial.py`)."""
    return Func(F("content"), function="chat_search_vector", output_field=SearchVectorField())


def new_epoch() -> str:
    """What tells one numbering of messages from another that used the same numbers."""
    return uuid.uuid4().hex[:12]


class Conversation(models.Model):
    """A tenant's own room, or the one of a game room, which no tenant can touch (contract: chat, "Rooms").

    ``seq`` of its messages runs 1, 2, 3 … without gaps; ``last_seq`` is the newest, ``pruned_seq`` the newest that
    retention has removed (0: none).
    """

    class Kind(models.TextChoices):
        ROOM = "room", _("A tenant's room")
        GAME_ROOM = "game_room", _("The conversation of a game room")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    client = models.ForeignKey(
        ApiClient, models.PROTECT, null=True, blank=True, related_name="conversations", verbose_name=_("client")
    )
    name = models.CharField(_("name"), max_length=NAME_LENGTH_MAX)
    description = models.CharField(_("description"), max_length=2000, blank=True)
    meta = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    epoch = models.CharField(max_length=12, default=new_epoch, editable=False)
    participant_count = models.PositiveIntegerField(_("participant count"), default=0, editable=False)
    message_count = models.PositiveBigIntegerField(_("message count"), default=0, editable=False)
    last_seq = models.PositiveBigIntegerField(default=0, editable=False)
    pruned_seq = models.PositiveBigIntegerField(default=0, editable=False)
    last_message_at = models.DateTimeField(_("last message at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints = [
            models.CheckConstraint(
                name="chat_conversation_tenant_has_client",
                condition=Q(kind="room", client__isnull=False) | Q(kind="game_room", client__isnull=True),
            ),
            models.CheckConstraint(
                name="chat_conversation_counts",
                condition=Q(message_count__lte=F("last_seq") - F("pruned_seq")) & Q(pruned_seq__lte=F("last_seq")),
            ),
        ]
        indexes = [
            # None of these columns changes when a message is posted: the row's update stays a heap-only one.
            models.Index(fields=["client", "-created_at", "-id"], name="chat_conversation_newest"),
            models.Index(fields=["client", "name", "id"], name="chat_conversation_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """Somebody in a conversation: ``user_id`` is the tenant's own name for them, ``account`` a user of the platform.

    ``meta.role`` ``moderator`` or ``owner`` gives the rights of a moderator.
    """

    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="members", verbose_name=_("conversation")
    )
    user_id = models.CharField(_("user id"), max_length=USER_ID_LENGTH_MAX)
    user_name = models.CharField(_("user name"), max_length=NAME_LENGTH_MAX)
    account = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="chat_memberships", verbose_name=_("account")
    )
    meta = models.JSONField(_("meta"), default=dict, blank=True)
    joined_at = models.DateTimeField(_("joined at"), default=clock.now)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "user_id"], name="chat_member_once"),
            models.CheckConstraint(name="chat_member_user_id_not_empty", condition=~Q(user_id="")),
        ]
        indexes = [models.Index(fields=["conversation", "joined_at", "id"], name="chat_member_joined")]

    def __str__(self) -> str:
        return self.user_name


class Message(models.Model):
    """One message; only ``chat_post_message`` (SQL) inserts, because only it hands out ``seq``.

    ``created_at`` never goes back within a conversation, whatever the clocks of the processes say. ``thread_key`` is
    the ``meta.thread_id`` it was posted with, or else the thread of the message in ``meta.reply_to``.
    """

    id = models.UUIDField(_("id"), primary_key=True, editable=False)
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="messages", db_index=False, verbose_name=_("conversation")
    )
    # The conversation's client, repeated for the search index.
    client_key = models.BigIntegerField(default=NO_CLIENT_KEY, editable=False)
    seq = models.PositiveBigIntegerField(_("seq"))
    sender_id = models.CharField(_("sender id"), max_length=USER_ID_LENGTH_MAX)
    sender_name = models.CharField(_("sender name"), max_length=NAME_LENGTH_MAX)
    content = models.TextField(_("content"))
    message_type = models.CharField(_("message type"), max_length=50)
    meta = models.JSONField(_("meta"), default=dict)
    client_msg_id = models.CharField(max_length=128, null=True)
    thread_key = models.CharField(max_length=128, null=True)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField()
    edited_at = models.DateTimeField(_("edited at"), null=True)
    is_deleted = models.BooleanField(_("is deleted"), default=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True)
    deleted_by = models.CharField(_("deleted by"), max_length=USER_ID_LENGTH_MAX, null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="chat_message_seq"),
            models.UniqueConstraint(
                fields=["conversation", "sender_id", "client_msg_id"],
                condition=Q(client_msg_id__isnull=False),
                name="chat_message_client_msg_id",
            ),
            models.CheckConstraint(name="chat_message_seq_positive", condition=Q(seq__gte=1)),
            models.CheckConstraint(
                name="chat_message_deleted_says_when", condition=Q(is_deleted=Q(deleted_at__isnull=False))
            ),
        ]
        indexes = [
            models.Index(
                fields=["conversation", "thread_key", "seq"],
                condition=Q(thread_key__isnull=False),
                name="chat_message_thread",
            ),
            models.Index(fields=["conversation", "sender_id", "seq"], name="chat_message_sender"),
            models.Index(fields=["created_at"], name="chat_message_age"),
            GinIndex(F("client_key"), search_vector(), name="chat_message_search"),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.seq}"


class Sanction(models.Model):
    """A mute or a ban. In force until it is lifted or expires; a banned user is no member and cannot become one."""

    class Kind(models.TextChoices):
        MUTE = "mute", _("Mute: reads, does not post")
        BAN = "ban", _("Ban: may not be in the conversation")

    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="sanctions", verbose_name=_("conversation")
    )
    user_id = models.CharField(_("user id"), max_length=USER_ID_LENGTH_MAX)
    kind = models.CharField(_("kind"), max_length=4, choices=Kind)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("sanction")
        verbose_name_plural = _("sanctions")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "user_id", "kind"],
                condition=Q(lifted_at__isnull=True),
                name="chat_sanction_one_open",
            ),
            models.CheckConstraint(name="chat_sanction_kind", condition=Q(kind__in=["mute", "ban"])),
        ]

    def __str__(self) -> str:
        return gettext("%(kind)s of %(user)s") % {"kind": self.noun, "user": self.user_id}

    @property
    def noun(self) -> str:
        """The kind as a noun in the active language."""
        return gettext("mute") if self.kind == self.Kind.MUTE else gettext("ban")


class Report(models.Model):
    """A member's complaint about a message, with the words as they stood then: an edit must not hide them."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="reports")
    reporter_id = models.CharField(_("reporter id"), max_length=USER_ID_LENGTH_MAX)
    reason = models.CharField(_("reason"), max_length=500)
    content = models.TextField(_("content"))
    created_at = models.DateTimeField(_("created at"))
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [models.UniqueConstraint(fields=["message", "reporter_id"], name="chat_report_once")]
        indexes = [models.Index(fields=["-created_at"], condition=Q(resolved_at__isnull=True), name="chat_report_open")]

    def __str__(self) -> str:
        return f"{self.reporter_id}: {self.reason}"


class ModerationAct(models.Model):
    """Who did what to whom, and why. Never changed, and kept when the conversation is deleted."""

    class Act(models.TextChoices):
        MUTE = "mute", _("Mute")
        UNMUTE = "unmute", _("Unmute")
        KICK = "kick", _("Kick")
        BAN = "ban", _("Ban")
        UNBAN = "unban", _("Unban")
        DELETE_MESSAGE = "delete_message", _("Delete Message")
        RESTORE_MESSAGE = "restore_message", _("Restore Message")
        EDIT_MESSAGE = "edit_message", _("Edit Message")
        REPORT = "report", _("Report")
        RESOLVE_REPORT = "resolve_report", _("Resolve Report")
        DELETE_ROOM = "delete_room", _("Delete Room")
        DEACTIVATE_ROOM = "deactivate_room", _("Deactivate Room")
        ACTIVATE_ROOM = "activate_room", _("Activate Room")

    # Not a foreign key: the conversation may be gone.
    conversation_id = models.UUIDField(_("conversation id"), db_index=True)
    client = models.ForeignKey(ApiClient, models.PROTECT, null=True, related_name="+", verbose_name=_("client"))
    actor = models.CharField(
        _("actor"), max_length=200, help_text=_("client:<name>, member:<user id> or staff:<user name>")
    )
    act = models.CharField(_("act"), max_length=16, choices=Act)
    user_id = models.CharField(_("user id"), max_length=USER_ID_LENGTH_MAX, blank=True)
    message_id = models.UUIDField(_("message id"), null=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("moderation act")
        verbose_name_plural = _("moderation acts")
        indexes = [models.Index(fields=["-created_at", "-id"], name="chat_moderationact_newest")]

    def __str__(self) -> str:
        return gettext("moderation act %(number)s") % {"number": self.pk}
