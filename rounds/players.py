"""The players of a game (use cases): sign up and in, credits and score. Contract: rounds, "Endpoints"."""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.db.models import F, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_noop

from accounts.game_tokens import issue_token
from accounts.models import GAME_USERNAME_LENGTH_MAX, Game, GameUser, User, UserManager
from core.db import sql
from core.db.transactions import require_atomic, use_case
from core.errors import Invalid
from core.security.names import clean_name
from rounds.access import playable_game
from rounds.actors import Actor, count_activity
from rounds.errors import (
    AlreadyTaken,
    GameDisabled,
    GameNotFound,
    GameUserNotFound,
    NotYourself,
    NumberTooLarge,
    WrongPassword,
)
from rounds.models import GameAccess

PASSWORD_LENGTH_MIN = 6
PASSWORD_LENGTH_MAX = 128
EMAIL_LENGTH_MAX = 254
TEST_USER_PASSWORD = "password"
_TAKEN = {
    "accounts_gameuser_username_any_case": gettext_noop("Username has already been taken"),
    "accounts_gameuser_email_any_case": gettext_noop("Email has already been taken"),
}
# Every JavaScript client can hold integers up to here exactly.
NUMBER_MAX = 2**53 - 1


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A game user with a new token, which is shown now and never again."""

    user: GameUser
    token: str


@use_case
def sign_up(
    *,
    game_id: int | None,
    game_token: str | None,
    email: str,
    username: str,
    password: str,
    password_confirmation: str,
    now: datetime,
) -> SignedIn:
    """A new player of the game, signed in.

    Raises ``GameNotFound``, ``GameDisabled``, ``Invalid`` or ``AlreadyTaken``. Whether a name is free is not asked
    before: the unique constraints decide, so of two at once one wins.
    """
    game = playable_game(game_id=game_id, token=game_token, token_needed=True)
    if password != password_confirmation:
        raise Invalid(gettext_noop("Password confirmation doesn't match Password"))
    user = _insert(game=game, email=email, username=username, password=password, now=now)
    GameUser.objects.filter(pk=user.pk).update(last_login=now)
    return _signed_in(user.pk, now=now)


@use_case
def create_test_user(*, game_id: int | None, email: str, username: str, now: datetime) -> SignedIn:
    """A player of a throw-away game, whose password is ``password``.

    Raises ``GameNotFound`` for any other game, ``Invalid`` or ``AlreadyTaken``.
    """
    access = GameAccess.objects.select_related("game").filter(pk=game_id, is_test=True).first()
    if access is None:
        raise GameNotFound()
    user = _insert(game=access.game, email=email, username=username, password=TEST_USER_PASSWORD, now=now)
    return _signed_in(user.pk, now=now)


@use_case
def sign_in(*, game_id: int | None, game_token: str | None, email: str, password: str, now: datetime) -> SignedIn:
    """Sign a player of the game in. Raises ``GameNotFound``, ``GameDisabled`` or ``WrongPassword``."""
    game = playable_game(game_id=game_id, token=game_token, token_needed=False)
    # The database lowers both sides, as its unique index does.
    by_email = GameUser.objects.alias(folded=Lower("email")).filter(
        game=game, folded=Lower(Value(_normal_email(email)))
    )
    user = by_email.select_related("user").first()
    # An unknown email costs as much time as a wrong password.
    encoded = user.password if user is not None and user.password else make_password(secrets.token_hex(8))
    is_right = check_password(password, encoded)
    if user is None or not is_right or (user.user is not None and not user.user.is_active):
        raise WrongPassword()
    return _login(user.pk, now=now)


@use_case
def sign_in_player(*, game_id: int | None, user: User, now: datetime) -> SignedIn:
    """Sign a platform user in at the game with its profile there, made when there is none.

    Raises ``GameNotFound`` or ``GameDisabled``. The platform vouches for the user: no game token is asked for.
    """
    game = Game.objects.filter(pk=game_id).first() if game_id is not None else None
    if game is None:
        raise GameNotFound()
    if game.status != Game.Status.ACTIVE:
        raise GameDisabled()
    answer = sql.call("game_user_of", game.pk, user.pk, now)
    return _login(answer["game_user_of"], now=now)


@use_case
def change_number(
    *, actor: Actor, game_user_id: int, name: str, amount: int, is_relative: bool, now: datetime
) -> GameUser:
    """Set the actor's ``credits`` or ``score`` (``name``), or add to it; additions at once all count.

    Raises ``NotYourself`` or ``NumberTooLarge``.
    """
    assert name in {"credits", "score"}
    require_self(actor, game_user_id)
    changed = GameUser.objects.filter(pk=game_user_id)
    if is_relative:
        # Both bounds hold after the addition, or nothing is added.
        changed = changed.filter(**{f"{name}__lte": NUMBER_MAX - amount, f"{name}__gte": -NUMBER_MAX - amount})
    if abs(amount) > NUMBER_MAX or not changed.update(**{name: F(name) + amount if is_relative else amount}):
        raise NumberTooLarge()
    count_activity(game_user_id=game_user_id, now=now)
    return GameUser.objects.get(pk=game_user_id)


def require_self(actor: Actor, game_user_id: int) -> None:
    """Raise ``NotYourself`` unless the user is the actor."""
    if game_user_id != actor.user.pk:
        raise NotYourself()


def _insert(*, game: Game, email: str, username: str, password: str, now: datetime) -> GameUser:
    require_atomic()
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise Invalid(
            gettext_noop("Password must have %(min)s to %(max)s characters"),
            min=PASSWORD_LENGTH_MIN,
            max=PASSWORD_LENGTH_MAX,
        )
    user = GameUser(
        game=game,
        email=_clean_email(email),
        username=clean_name(
            unicodedata.normalize("NFKC", username), max_length=GAME_USERNAME_LENGTH_MAX, label="Username"
        ),
        password=make_password(password),
        created_at=now,
    )
    try:
        user.save(force_insert=True)
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
        if constraint in _TAKEN:
            raise AlreadyTaken(_TAKEN[constraint]) from error
        raise
    return user


def _clean_email(text: str) -> str:
    email = _normal_email(text)
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid(gettext_noop("Email is invalid")) from None
    if len(email) > EMAIL_LENGTH_MAX:
        raise Invalid(gettext_noop("Email is too long"))
    return email


def _normal_email(text: str) -> str:
    return UserManager.normalize_email(text.strip(" "))


def _login(game_user_id: int, *, now: datetime) -> SignedIn:
    GameUser.objects.filter(pk=game_user_id).update(number_of_logins=F("number_of_logins") + 1, last_login=now)
    return _signed_in(game_user_id, now=now)


def _signed_in(game_user_id: int, *, now: datetime) -> SignedIn:
    """The user as it is now, with a token."""
    count_activity(game_user_id=game_user_id, now=now, sessions=1)
    user = GameUser.objects.select_related("game", "user").filter(pk=game_user_id).first()
    if user is None:
        raise GameUserNotFound()
    return SignedIn(user=user, token=issue_token(user, now=now))
