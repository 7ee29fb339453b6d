"""Players as game servers know them, and the games' ids and owners (use cases)."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from django.db import IntegrityError
from django.utils.translation import gettext_noop

from accounts.models import Game, User
from core.db.transactions import require_atomic, use_case
from core.errors import Invalid
from core.security.secrets import encrypt
from payments import otp
from payments.addresses import address_of
from payments.errors import InvalidPlyrId, PlyrIdTaken
from payments.models import PlayerProfile, PotGame

OTP_ISSUER = "gameplatform"
_PLYR_ID = re.compile(r"(?=[a-z0-9-]{5,64}\Z)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_PUBLIC_ID = re.compile(r"[!-~]{1,64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class NewPlayer:
    """A new player and the address of its OTP secret, for an authenticator app; never shown again."""

    player: PlayerProfile
    otpauth_uri: str


def clean_plyr_id(text: str) -> str:
    """The id in its one form, lower case. Raises ``InvalidPlyrId`` (contract: pots, "Players")."""
    folded = text.lower()
    if not _PLYR_ID.fullmatch(folded):
        raise InvalidPlyrId()
    return folded


@use_case
def create_player(*, plyr_id: str, user: User | None, now: datetime) -> NewPlayer:
    """Make ``user`` a player; without one, a user of the same name that cannot sign in to the platform itself.

    Raises ``InvalidPlyrId``, ``PlyrIdTaken``.
    """
    plyr_id = clean_plyr_id(plyr_id)
    secret = pyotp.random_base32()
    player = insert_player(plyr_id=plyr_id, user=user, otp_secret=secret, now=now)
    return NewPlayer(
        player=player, otpauth_uri=pyotp.TOTP(secret).provisioning_uri(name=plyr_id, issuer_name=OTP_ISSUER)
    )


@use_case
def renew_otp(*, player: PlayerProfile) -> str:
    """Replace a lost OTP secret; returns its otpauth address. Old codes stop working at once."""
    secret = pyotp.random_base32()
    PlayerProfile.objects.filter(pk=player.pk).update(otp_secret_encrypted=encrypt(secret.encode()), otp_used_steps=[])
    otp.forget_failures(player)
    return pyotp.TOTP(secret).provisioning_uri(name=player.plyr_id, issuer_name=OTP_ISSUER)


@use_case
def set_pot_game(*, game: Game, public_id: str | None, owner: User | None) -> PotGame:
    """Set a game's id in the pots API (``None``: its symbol in lower case) and its owner.

    Raises ``Invalid`` for an id that is not 1 to 64 printable ASCII characters or is another game's.
    """
    if public_id is not None and not _PUBLIC_ID.fullmatch(public_id):
        raise Invalid(gettext_noop("The game's id must be 1 to 64 printable ASCII characters"))
    PotGame.objects.bulk_create([PotGame(game=game)], ignore_conflicts=True)
    row = PotGame.objects.select_for_update(no_key=True).get(pk=game.pk)
    row.public_id, row.owner = public_id, owner
    try:
        row.save(update_fields=["public_id", "owner"])
    except IntegrityError as error:
        raise Invalid(gettext_noop("Another game goes by this id")) from error
    return row


def guest_plyr_id() -> str:
    """A new guest's id."""
    return f"guest-{secrets.token_hex(8)}"


def insert_player(*, plyr_id: str, user: User | None, otp_secret: str | None, now: datetime) -> PlayerProfile:
    """The rows of a new player; without an OTP secret it is a guest. Raises ``PlyrIdTaken``."""
    require_atomic()
    try:
        user = user or User.objects.create_user(plyr_id, date_joined=now)
        return PlayerProfile.objects.create(
            user=user,
            plyr_id=plyr_id,
            # Not the wallet address of the user: it is unproven, and another user may claim it.
            primary_address=address_of("player", plyr_id, "primary"),
            mirror_address=address_of("player", plyr_id, "mirror"),
            is_guest=otp_secret is None,
            otp_secret_encrypted=None if otp_secret is None else encrypt(otp_secret.encode()),
            created_at=now,
        )
    except IntegrityError as error:
        raise PlyrIdTaken() from error
