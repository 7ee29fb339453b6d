"""Texts a game keeps about its players under keys of its choice (use cases)."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_noop

from core.db.transactions import use_case
from rounds.actors import Actor, count_activity
from rounds.errors import AttributeNotFound, MissingParameter, TooManyAttributes
from rounds.models import ATTRIBUTE_KEY_LENGTH_MAX, GameUserAttribute
from rounds.players import require_self

ATTRIBUTES_MAX = 500
VALUE_LENGTH_MAX = 10_000


@use_case
def set_attributes(*, actor: Actor, game_user_id: int, attributes: Sequence[tuple[str, str]], now: datetime) -> None:
    """Set each key to its value; of a key named twice the last counts.

    Raises ``NotYourself``, ``MissingParameter`` or ``TooManyAttributes``; nothing is set then.
    """
    require_self(actor, game_user_id)
    for key, value in attributes:
        if not 0 < len(key) <= ATTRIBUTE_KEY_LENGTH_MAX or len(value) > VALUE_LENGTH_MAX:
            raise MissingParameter(
                gettext_noop("A key has 1 to %(key_max)s characters, a value at most %(value_max)s"),
                key_max=ATTRIBUTE_KEY_LENGTH_MAX,
                value_max=VALUE_LENGTH_MAX,
            )
    # Counting locks the user's row: the limit below is checked by one request of the user at a time.
    count_activity(game_user_id=game_user_id, now=now)
    GameUserAttribute.objects.bulk_create(
        [GameUserAttribute(game_user=actor.user, key=key, value=value) for key, value in dict(attributes).items()],
        update_conflicts=True,
        unique_fields=["game_user", "key"],
        update_fields=["value"],
    )
    if GameUserAttribute.objects.filter(game_user=actor.user).count() > ATTRIBUTES_MAX:
        raise TooManyAttributes()


@use_case
def remove_attribute(*, actor: Actor, game_user_id: int, key: str, now: datetime) -> None:
    """Forget one key. Raises ``NotYourself`` or ``AttributeNotFound``."""
    require_self(actor, game_user_id)
    removed, _ = GameUserAttribute.objects.filter(game_user=actor.user, key=key).delete()
    if not removed:
        raise AttributeNotFound()
    count_activity(game_user_id=game_user_id, now=now)
