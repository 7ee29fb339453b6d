"""Who is asking the rounds API: found by token or service key; and the counters of what game users do."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Case, Expression, F, Value, When

from accounts.api_keys import find_key
from accounts.game_tokens import find_game_user
from accounts.models import ApiKey, GameUser
from core.db.transactions import require_atomic


@dataclass(frozen=True, slots=True)
class Actor:
    """A game user, by its own ``token`` or (``by_service``) by the game's service key; ``user.game`` is loaded."""

    user: GameUser
    by_service: bool = False
    token: str | None = None


def actor_by_token(token: str, *, now: datetime) -> Actor | None:
    """The game user with this token. One statement."""
    user = find_game_user(token, now=now)
    return None if user is None else Actor(user=user, token=token)


def find_service_key(*, name: str, token: str, scope: str, now: datetime) -> ApiKey | None:
    """The live key ``token`` of the client called ``name``, or ``None``."""
    key = find_key(text=token, scope=scope, now=now)
    return key if key is not None and key.client.name == name else None


def actor_by_service_key(*, name: str, token: str, game_user_id: int, now: datetime) -> Actor | None:
    """The user that a game's server acts for: only one of its own game."""
    key = find_service_key(name=name, token=token, scope=ApiKey.Scope.ROUNDS, now=now)
    if key is None or key.client.game_id is None:
        return None
    user = GameUser.objects.filter(pk=game_user_id, game_id=key.client.game_id).select_related("game").first()
    return Actor(user=user, by_service=True) if user is not None else None


def month_of(now: datetime) -> date:
    """The month that the monthly counters belong to at ``now``."""
    return now.date().replace(day=1)


def count_activity(*, game_user_id: int, now: datetime, events: int = 1, sessions: int = 0) -> None:
    """Count what the user did: changes it made (``events``) and times it signed in (``sessions``)."""
    require_atomic()
    month = month_of(now)

    def of_this_month(name: str, change: int) -> Expression:
        return Case(When(counted_month=month, then=F(name) + change), default=Value(change))

    GameUser.objects.filter(pk=game_user_id).update(
        events_total=F("events_total") + events,
        events_current_month=of_this_month("events_current_month", events),
        game_sessions_total=F("game_sessions_total") + sessions,
        game_sessions_current_month=of_this_month("game_sessions_current_month", sessions),
        counted_month=month,
    )
