"""The back-office's cast and a platform with something to see of every kind."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model

from accounts import api_keys
from accounts.models import ApiClient, Game, GameUser, RightsRequest, User
from backoffice.acts import Act
from backoffice.admin import PlatformAdmin
from chat import messages, moderation
from chat.access import Caller
from chat.models import Member, Message, ModerationAct, Report, Sanction
from chat.posting import Draft
from core.db import clock
from core.models import AuditEntry
from gameplatform.operations.groups import GROUPS, set_up_groups
from payments import adjustments
from payments.models import Account, Adjustment, Escrow, Job, PlayerProfile, Pot, PotGame
from rooms import tick
from rooms.models import Participant, Session
from rounds import access
from rounds.models import Contest, Leaderboard, LeaderboardEntry, Round
from webhooks import endpoints


def worker(role: str, username: str | None = None) -> User:
    """Somebody of staff in this group; the password is ``<username>'s password``."""
    set_up_groups()
    name = username or role
    user = User.objects.create_user(name, password=f"{name}'s password", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def crew() -> dict[str, User]:
    """One of each group."""
    return {role: worker(role) for role in GROUPS}


def run_session(room: Any, players: list[User], join: Any) -> Session:
    """The room's current session with these players in it, settled."""
    session = Session.objects.get(pk=room.current_session_id)
    for player in players:
        join(room, player)
    tick.advance(now=session.starts_at)
    tick.advance(now=session.ends_at)
    session.refresh_from_db()
    return session


def _talk(room: Any, superuser: User, now: datetime) -> dict[str, Any]:
    conversation = room.conversation
    talker, muted = Member.objects.filter(conversation=conversation).order_by("id")[:2]
    draft = Draft(
        sender_id=talker.user_id, sender_name=None, content="hello", message_type="text", meta={}, client_msg_id=None
    )
    said = messages.post_message(caller=Caller(user=talker.account), room_id=conversation.pk, draft=draft, now=now)
    message = Message.objects.get(pk=said.row["id"])
    moderation.report(
        caller=Caller(user=muted.account), message_id=message.pk, reporter_id=muted.user_id, reason="spam", now=now
    )
    moderation.mute(
        caller=Caller(staff=superuser),
        room_id=conversation.pk,
        acting_as=None,
        user_id=muted.user_id,
        reason="too loud",
        expires_at=None,
        now=now,
    )
    return {
        "chat.conversation": conversation,
        "chat.member": talker,
        "chat.message": message,
        "chat.report": Report.objects.get(message=message),
        "chat.sanction": Sanction.objects.get(conversation=conversation),
        "chat.moderationact": ModerationAct.objects.order_by("-id").first(),
    }


def _pots(game: Game, player: User, client: ApiClient, now: datetime) -> dict[str, Any]:
    pot = Pot.objects.create(
        game=game,
        number=1,
        escrow=Escrow.objects.create(controller=Escrow.Controller.POT),
        address="0x1",
        deadline=now,
        created_at=now,
    )
    job = Job.objects.create(
        public_id=uuid.uuid4(),
        client=client,
        game=game,
        request_digest=b"d" * 32,
        kind=Job.Kind.CREATE,
        arguments={},
        memo={},
        status=Job.Status.FAILED,
        error_code="INSUFFICIENT_FUNDS",
        due_at=now,
        created_at=now,
        finished_at=now,
    )
    return {
        "payments.pot": pot,
        "payments.job": job,
        "payments.potgame": PotGame.objects.create(game=game),
        "payments.playerprofile": PlayerProfile.objects.create(
            user=player,
            plyr_id="player-one",
            primary_address="0x2",
            mirror_address="0x3",
            is_guest=True,
            created_at=now,
        ),
    }


def _rounds(game: Game, player: User, now: datetime) -> dict[str, Any]:
    gamer = GameUser.objects.create(game=game, user=player, username="gamer")
    contest = Contest.objects.create(
        game=game, multiplayer_id=1, controller="api", score_order="desc", master=gamer, created_at=now
    )
    played = {"game": game, "game_user": gamer, "start_time": now, "submitted_at": now, "created_at": now}
    board = Leaderboard.objects.create(game=game, name="Top", score_order="desc", created_at=now)
    return {
        "accounts.gameuser": gamer,
        "rounds.gameaccess": access.open_access(game=game, now=now),
        "rounds.contest": contest,
        "rounds.round": Round.objects.create(**played, contest=contest, game_type="duel", updated_at=now),
        "rounds.leaderboard": board,
        "rounds.leaderboardentry": LeaderboardEntry.objects.create(
            leaderboard=board, game_user=gamer, score=7, standing=-7, created_at=now
        ),
    }


def one_of_each(*, room: Any, session: Session, superuser: User, player: User, gold: Any) -> dict[str, Any]:
    """An object of each model with pages of its own, by the model's label."""
    now = clock.now()
    set_up_groups()
    adjusted = {"user": player, "token": gold, "actor": superuser, "now": now}
    adjustment = adjustments.deposit(amount_minor=500, reason="a gift", request_key="gift", **adjusted)
    request = adjustments.request_adjustment(
        kind=Adjustment.Kind.DEPOSIT, amount_minor=5_000_000, reason="a large gift", request_key="large", **adjusted
    )
    client = ApiClient.objects.create(name="A game's server", game=room.game)
    key = api_keys.issue_key(
        client=client, scopes=["results"], now=now, expires_at=now + timedelta(days=1), actor=superuser
    ).key
    endpoint = endpoints.create(
        name="A server",
        url="https://8.8.8.8/hooks",
        types=["session.ended"],
        client=client,
        user=None,
        actor=superuser,
        now=now,
    ).endpoint
    delivery = endpoints.send_test(endpoint_id=endpoint.pk, among=endpoints.existing(), actor=superuser, now=now)
    return {
        **_talk(room, superuser, now),
        **_pots(room.game, player, client, now),
        **_rounds(room.game, player, now),
        "webhooks.endpoint": endpoint,
        "webhooks.delivery": delivery,
        "webhooks.event": delivery.event,
        "rooms.room": room,
        "rooms.session": session,
        "rooms.participant": Participant.objects.filter(session=session).first(),
        "accounts.user": player,
        "accounts.game": room.game,
        "accounts.apiclient": client,
        "accounts.apikey": key,
        "accounts.rightsrequest": RightsRequest.objects.create(
            user=player, is_staff=True, is_superuser=False, groups=[], reason="new", requester=superuser, created_at=now
        ),
        "auth.group": Group.objects.get(name="support"),
        "payments.token": gold,
        "payments.account": Account.objects.get(owner=player),
        "payments.transfer": adjustment.transfer,
        "payments.adjustment": adjustment,
        "payments.adjustmentrequest": request,
        "core.auditentry": AuditEntry.objects.order_by("-id").first(),
    }


def acts() -> Iterator[tuple[str, type[Model], Act]]:
    """(label.slug, model, act) of every act of every page there is."""
    # The routes compose the pages.
    import_module(settings.ROOT_URLCONF)
    for model, pages in admin.site._registry.items():
        if isinstance(pages, PlatformAdmin):
            for act in (*pages.acts, *([pages.creation] if pages.creation else [])):
                yield f"{model._meta.label_lower}.{act.slug}", model, act
