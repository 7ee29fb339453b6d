"""Conversations, their members, mutes, bans, and the acts of moderators."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from backoffice.acts import Act
from backoffice.admin import ReadOnlyAdmin
from backoffice.panels import Cell, Panel, Table
from backoffice.searching import as_uuid
from chat import moderation, queries, tenant_rooms
from chat.access import CHANGE_CONVERSATION, CHANGE_MEMBER, CHANGE_SANCTION
from chat.admin.acting import DurationForm, as_staff, ends_at
from chat.models import Conversation, Member, Message, ModerationAct, Sanction
from core.db import clock

ROWS_SHOWN = 50
TEXT_SHOWN = 120
STATE_TONES = {True: "success", False: "warning"}


class CloseConversation(Act):
    slug = "close"
    # Not just "Close": that is what the theme calls the way back.
    title = gettext_lazy("Close conversation")
    icon = "lock"
    is_dangerous = True
    permission = CHANGE_CONVERSATION

    def explanation(self, obj: Conversation) -> str:
        return _(
            "Nothing more is said in %(name)s and all its sockets close. Its history stays; it can be reopened."
        ) % {"name": obj.name}

    def is_possible(self, obj: Conversation) -> bool:
        return obj.is_active

    def run(self, *, actor: Any, obj: Conversation, data: dict[str, Any], now: datetime) -> str:
        tenant_rooms.deactivate_room(caller=as_staff(actor), room_id=obj.pk, reason=data["reason"], now=now)
        return _("%(name)s is closed.") % {"name": obj.name}


class ReopenConversation(Act):
    slug = "reopen"
    title = gettext_lazy("Reopen")
    icon = "lock_open"
    permission = CHANGE_CONVERSATION

    def explanation(self, obj: Conversation) -> str:
        return _("%(name)s takes messages again.") % {"name": obj.name}

    def is_possible(self, obj: Conversation) -> bool:
        return not obj.is_active

    def run(self, *, actor: Any, obj: Conversation, data: dict[str, Any], now: datetime) -> str:
        tenant_rooms.activate_room(caller=as_staff(actor), room_id=obj.pk, reason=data["reason"], now=now)
        return _("%(name)s is open again.") % {"name": obj.name}


class MemberAct(Act):
    """An act on a member of a conversation."""

    permission = CHANGE_MEMBER

    def target(self, actor: Any, obj: Member) -> dict[str, Any]:
        """Who and where, as the use cases take it."""
        return {
            "caller": as_staff(actor),
            "room_id": obj.conversation_id,
            "acting_as": None,
            "user_id": obj.user_id,
        }

    def names(self, obj: Member) -> dict[str, str]:
        """Who and where, as the sentences say it."""
        return {"who": obj.user_name, "room": obj.conversation.name}


class Mute(MemberAct):
    slug = "mute"
    title = gettext_lazy("Mute")
    icon = "volume_off"
    form = DurationForm

    def explanation(self, obj: Member) -> str:
        return _("%(who)s goes on reading %(room)s and cannot post there. A newer mute counts.") % self.names(obj)

    def run(self, *, actor: Any, obj: Member, data: dict[str, Any], now: datetime) -> str:
        moderation.mute(**self.target(actor, obj), reason=data["reason"], expires_at=ends_at(data, now), now=now)
        return _("%(who)s is muted in %(room)s.") % self.names(obj)


class Kick(MemberAct):
    slug = "kick"
    title = gettext_lazy("Kick")
    icon = "logout"

    def explanation(self, obj: Member) -> str:
        return _("%(who)s is put out of %(room)s and its sockets close; it may join again.") % self.names(obj)

    def run(self, *, actor: Any, obj: Member, data: dict[str, Any], now: datetime) -> str:
        moderation.kick(**self.target(actor, obj), reason=data["reason"], now=now)
        return _("%(who)s was put out of %(room)s.") % self.names(obj)

    def landing(self, obj: Member) -> str:
        # The member is no more.
        return reverse("admin:chat_conversation_change", args=[obj.conversation_id])


class Ban(Kick):
    slug = "ban"
    title = gettext_lazy("Ban")
    icon = "block"
    is_dangerous = True
    form = DurationForm

    def explanation(self, obj: Member) -> str:
        return _("%(who)s is put out of %(room)s and cannot come back before the ban ends.") % self.names(obj)

    def run(self, *, actor: Any, obj: Member, data: dict[str, Any], now: datetime) -> str:
        moderation.ban(**self.target(actor, obj), reason=data["reason"], expires_at=ends_at(data, now), now=now)
        return _("%(who)s is banned from %(room)s.") % self.names(obj)


class Lift(Act):
    slug = "lift"
    title = gettext_lazy("Lift")
    icon = "undo"
    permission = CHANGE_SANCTION

    def explanation(self, obj: Sanction) -> str:
        return _("The %(kind)s of %(who)s in %(room)s ends now.") % {
            "kind": obj.noun,
            "who": obj.user_id,
            "room": obj.conversation.name,
        }

    def is_possible(self, obj: Sanction) -> bool:
        return obj.lifted_at is None

    def run(self, *, actor: Any, obj: Sanction, data: dict[str, Any], now: datetime) -> str:
        lifted = moderation.lift(
            caller=as_staff(actor),
            room_id=obj.conversation_id,
            acting_as=None,
            user_id=obj.user_id,
            kind=Sanction.Kind(obj.kind),
            reason=data["reason"],
            now=now,
        )
        if not lifted:
            return _("It was lifted already.")
        return _("The %(kind)s of %(who)s is lifted.") % {"kind": obj.noun, "who": obj.user_id}


def message_cells(message: Message) -> list[Any]:
    """A message as a row of a panel."""
    return [
        Cell(message.seq, link=reverse("admin:chat_message_change", args=[message.pk]), is_number=True),
        message.created_at,
        message.sender_name,
        Cell(_("deleted"), tone="warning") if message.is_deleted else "",
        Cell(message.content[:TEXT_SHOWN], is_text=True),
    ]


MESSAGE_HEADINGS = (gettext_lazy("No."), gettext_lazy("When"), gettext_lazy("Who"), "", gettext_lazy("What"))


class MessagesPanel(Panel):
    title = gettext_lazy("Latest messages")

    def table(self, request: HttpRequest, obj: Conversation) -> Table:
        newest = queries.messages_of(obj.pk, include_deleted=True).order_by("-seq")[:ROWS_SHOWN]
        more = Cell(_("All messages"), link=f"{reverse('admin:chat_message_changelist')}?q={obj.pk}")
        rows = [message_cells(message) for message in newest]
        return Table(headings=MESSAGE_HEADINGS, rows=rows, empty=_("Nothing was said yet"), more=more)


class MembersPanel(Panel):
    title = gettext_lazy("Members")

    def table(self, request: HttpRequest, obj: Conversation) -> Table:
        rows = [
            [
                Cell(member.user_name, link=reverse("admin:chat_member_change", args=[member.pk])),
                Cell(member.user_id, is_code=True),
                str(member.meta.get("role", "")),
                member.joined_at,
            ]
            for member in obj.members.order_by("-id")[:ROWS_SHOWN]
        ]
        more = Cell(_("All members"), link=f"{reverse('admin:chat_member_changelist')}?q={obj.pk}")
        return Table(
            headings=(_("Name"), _("User id"), _("Role"), _("Joined")), rows=rows, empty=_("No members"), more=more
        )


def names_of(conversation: Conversation, user_ids: Collection[str]) -> dict[str, str]:
    """What those of these users are called that are in the conversation."""
    found = conversation.members.filter(user_id__in=user_ids)
    return dict(found.values_list("user_id", "user_name"))


class SanctionsPanel(Panel):
    title = gettext_lazy("Mutes and bans in force")

    def table(self, request: HttpRequest, obj: Conversation) -> Table:
        standing = list(queries.sanctions_in_force(obj.pk, now=clock.now())[:ROWS_SHOWN])
        names = names_of(obj, {sanction.user_id for sanction in standing})
        rows = [
            [
                Cell(
                    names.get(sanction.user_id, sanction.user_id),
                    link=reverse("admin:chat_sanction_change", args=[sanction.pk]),
                ),
                Cell(sanction.noun, tone="danger" if sanction.kind == Sanction.Kind.BAN else "warning"),
                Cell(sanction.reason, is_text=True),
                sanction.created_at,
                sanction.expires_at or _("until lifted"),
            ]
            for sanction in standing
        ]
        return Table(
            headings=(_("Who"), _("What"), _("Why"), _("Since"), _("Until")),
            rows=rows,
            empty=_("No mutes or bans"),
        )


class ModerationPanel(Panel):
    title = gettext_lazy("What moderators did")

    def is_shown(self, request: HttpRequest, obj: Conversation) -> bool:
        return request.user.has_perm("chat.view_moderationact")

    def table(self, request: HttpRequest, obj: Conversation) -> Table:
        acts = list(ModerationAct.objects.filter(conversation_id=obj.pk).order_by("-id")[:ROWS_SHOWN])
        names = names_of(obj, {act.user_id for act in acts if act.user_id})
        rows = [
            [
                act.created_at,
                act.actor,
                act.get_act_display(),
                names.get(act.user_id, act.user_id),
                Cell(act.reason, is_text=True),
            ]
            for act in acts
        ]
        more = Cell(_("All of it"), link=f"{reverse('admin:chat_moderationact_changelist')}?q={obj.pk}")
        return Table(
            headings=(_("When"), _("Who"), _("Did"), _("To"), _("Why")), rows=rows, empty=_("Nothing so far"), more=more
        )


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "client", "state", "participant_count", "message_count", "last_message_at")
    list_filter = ("kind", "is_active")
    list_select_related = ("client",)
    search_fields = ("name",)
    search_help_text = gettext_lazy("The beginning of a name, or an id")
    ordering = ("-created_at",)
    fields = (
        "id",
        "name",
        "kind",
        "client",
        "is_active",
        "description",
        "participant_count",
        "message_count",
        "last_message_at",
        "created_at",
    )
    readonly_fields = fields
    acts = (CloseConversation(), ReopenConversation())
    panels = (MessagesPanel(), MembersPanel(), SanctionsPanel(), ModerationPanel())
    export_columns = (
        ("id", lambda room: room.pk),
        ("name", lambda room: room.name),
        ("kind", lambda room: room.kind),
        ("client", lambda room: room.client),
        ("active", lambda room: room.is_active),
        ("members", lambda room: room.participant_count),
        ("messages", lambda room: room.message_count),
        ("created at", lambda room: room.created_at),
    )

    def search_exactly(self, term: str) -> Q:
        key = as_uuid(term)
        return Q(name__istartswith=term) if key is None else Q(pk=key)

    @display(description=gettext_lazy("state"), ordering="is_active", label=STATE_TONES)
    def state(self, room: Conversation) -> tuple[bool, str]:
        return room.is_active, _("open") if room.is_active else _("closed")


class InConversation(ReadOnlyAdmin):
    """Rows whose acts are acts on their conversation, so its trail is theirs."""

    list_select_related: tuple[str, ...] = ("conversation",)

    def trail_object(self, obj: Any) -> Model:
        conversation: Model = obj.conversation
        return conversation

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related(*self.list_select_related)


@admin.register(Member)
class MemberAdmin(InConversation):
    list_display = ("user_name", "user_id", "conversation", "account", "joined_at")
    list_select_related = ("conversation", "account")
    search_fields = ("user_id",)
    search_help_text = gettext_lazy("A user id, a conversation's id, or the user name of a player of the platform")
    ordering = ("-id",)
    fields = ("user_name", "user_id", "conversation", "account", "meta", "joined_at")
    readonly_fields = fields
    acts = (Mute(), Kick(), Ban())

    def search_exactly(self, term: str) -> Q:
        key = as_uuid(term)
        found = Q(user_id=term) | Q(account__username__iexact=term)
        return found if key is None else found | Q(conversation_id=key)


@admin.register(Sanction)
class SanctionAdmin(InConversation):
    list_display = ("user_id", "kind", "conversation", "reason", "created_at", "expires_at", "lifted_at")
    list_filter = ("kind", ("lifted_at", admin.EmptyFieldListFilter))
    search_fields = ("user_id",)
    search_help_text = gettext_lazy("A user id, or a conversation's id")
    ordering = ("-id",)
    fields = ("user_id", "kind", "conversation", "reason", "created_at", "expires_at", "lifted_at")
    readonly_fields = fields
    acts = (Lift(),)

    def search_exactly(self, term: str) -> Q:
        key = as_uuid(term)
        return Q(user_id=term) if key is None else Q(user_id=term) | Q(conversation_id=key)


@admin.register(ModerationAct)
class ModerationActAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor", "act", "user_id", "conversation_id", "reason", "expires_at")
    list_filter = ("act",)
    search_fields = ("actor",)
    search_help_text = gettext_lazy("A user id, a conversation's id, or who acted: staff:NAME, client:NAME, member:ID")
    ordering = ("-created_at", "-id")
    fields = (
        "created_at",
        "actor",
        "act",
        "user_id",
        "conversation_id",
        "client",
        "message_id",
        "reason",
        "expires_at",
    )
    readonly_fields = fields
    export_columns = (
        ("at", lambda act: act.created_at),
        ("actor", lambda act: act.actor),
        ("act", lambda act: act.act),
        ("user id", lambda act: act.user_id),
        ("conversation", lambda act: act.conversation_id),
        ("message", lambda act: act.message_id),
        ("reason", lambda act: act.reason),
        ("expires at", lambda act: act.expires_at),
    )

    def search_exactly(self, term: str) -> Q:
        key = as_uuid(term)
        return Q(user_id=term) | Q(actor=term) if key is None else Q(user_id=term) | Q(conversation_id=key)
