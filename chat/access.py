"""Who is asking, and which conversations exist for them."""

import uuid
from dataclasses import dataclass
from enum import IntEnum

from django.db.models import QuerySet

from accounts import roles
from accounts.models import ApiClient, User
from chat.errors import RoomNotFound
from chat.models import Conversation, Member

CHANGE_CONVERSATION, CHANGE_MEMBER = "chat.change_conversation", "chat.change_member"
CHANGE_MESSAGE, CHANGE_REPORT, CHANGE_SANCTION = "chat.change_message", "chat.change_report", "chat.change_sanction"


class Rank(IntEnum):
    """Who may act on whom: only on those below."""

    MEMBER = 0
    MODERATOR = 1
    OWNER = 2
    AUTHORITY = 3


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A tenant, by a key of its client; a signed-in user of the platform; or staff in the back-office: one of three.

    A tenant sees its own rooms and acts in them with full authority, for any user it names. A user of the platform
    sees the conversations it is a member of and acts as itself. Staff see all.
    """

    client: ApiClient | None = None
    user: User | None = None
    staff: User | None = None

    def __post_init__(self) -> None:
        if [self.client, self.user, self.staff].count(None) != 2:
            raise ValueError("A caller is a client, a user or staff.")

    @property
    def own_user_id(self) -> str | None:
        """The user id that the caller speaks as whatever it says; ``None``: the one it names."""
        return None if self.user is None else str(self.user.pk)

    def conversations(self) -> QuerySet[Conversation]:
        """The conversations that exist for the caller."""
        if self.client is not None:
            return Conversation.objects.filter(client=self.client)
        if self.user is not None:
            return Conversation.objects.filter(members__account=self.user)
        return Conversation.objects.all()

    def conversation(self, conversation_id: uuid.UUID) -> Conversation:
        """One of them. Raises ``RoomNotFound``."""
        found = self.conversations().filter(pk=conversation_id).first()
        if found is None:
            raise RoomNotFound
        return found

    def rank(self, conversation_id: uuid.UUID, *, acting_as: str | None) -> Rank:
        """The authority of the caller, as the user it acts as, in one of its conversations.

        A tenant's key that names no user acts for the tenant itself.
        """
        if acting_as is None or (self.user is not None and self.user.is_staff):
            return Rank.AUTHORITY
        return rank_of(conversation_id, acting_as)

    def require(self, permission: str) -> None:
        """Raise ``NotPermitted`` for staff without the permission. Tenants and members act by their rank."""
        if self.staff is not None:
            roles.require(self.staff, permission)

    def label(self, *, acting_as: str | None) -> str:
        """The caller's name in the audit."""
        if self.staff is not None:
            return f"staff:{self.staff.username}"
        if acting_as is not None:
            return f"member:{acting_as}"
        assert self.client is not None
        return f"client:{self.client.name}"


def rank_of(conversation_id: uuid.UUID, user_id: str) -> Rank:
    """The rank that a user's role gives it in a conversation; somebody who is not in it has the lowest."""
    member = Member.objects.filter(conversation_id=conversation_id, user_id=user_id).first()
    role = None if member is None else member.meta.get("role")
    return {"moderator": Rank.MODERATOR, "owner": Rank.OWNER}.get(role if isinstance(role, str) else "", Rank.MEMBER)
