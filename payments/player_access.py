"""Player access: sessions and allowances that a player grants a game by one-time password (use cases).

A wrong code must be counted although the request is refused: the transaction commits, and the refusal is raised after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from accounts.models import Game
from core.amounts import AMOUNT_MINOR_MAX
from core.db.transactions import require_atomic, use_case
from core.errors import DomainError
from payments import allowances, otp, players, session_tokens
from payments.errors import GuestCannotLogOut, SessionInvalid
from payments.models import PlayerProfile, PlayerSession, PotGame, Token
from payments.pot_rows import Seat

SESSION_SECONDS_DEFAULT = 24 * 3600
SESSION_SECONDS_MAX = 366 * 24 * 3600
# A guest cannot log in again: its one session has to last.
GUEST_SESSION_SECONDS = 365 * 24 * 3600
# A guest's game may spend all that the guest has: only games put tokens there.
GUEST_ALLOWANCE_TOKENS = 100_000_000

UNREADABLE = SessionInvalid.default_message

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A fresh session: the token to show for it, and what the token says."""

    token: str
    player: PlayerProfile
    payload: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """One of the tokens a game's server shows: a player with a live session, or why not."""

    plyr_id: str
    seat: Seat | None
    refusal: str


def game_public_id(game: Game) -> str:
    """The id the game goes by in tokens and routes."""
    given = PotGame.objects.filter(pk=game.pk).values_list("public_id", flat=True).first()
    return given or game.symbol.lower()


def log_in(
    *,
    plyr_id: str,
    code: str,
    game: Game,
    guesser: otp.Guesser,
    lifetime_seconds: int | None,
    allowances_minor: Mapping[int, int],
    now: datetime,
) -> Grant:
    """Begin the player's session with the game, ending an earlier one; and set its allowances (token id → units).

    Raises ``OtpUsed``, ``PlayerNotFound``, ``OtpLocked``, ``OtpInvalid``.
    """
    return _accepted(_log_in(plyr_id, code, game, guesser, lifetime_seconds, allowances_minor, now))


def approve(
    *,
    plyr_id: str,
    code: str,
    game: Game,
    guesser: otp.Guesser,
    amounts_minor: Mapping[int, int],
    lifetime_seconds: int | None,
    now: datetime,
) -> None:
    """Set what the game may spend of the player's tokens, for good or for a time. Raises as ``log_in``."""
    _accepted(_approve(plyr_id, code, game, guesser, amounts_minor, lifetime_seconds, now))


def revoke(*, plyr_id: str, code: str, game: Game, guesser: otp.Guesser, token_id: int | None, now: datetime) -> None:
    """Take the game's allowance of one token back, or of all (``None``). Raises as ``log_in``."""
    _accepted(_revoke(plyr_id, code, game, guesser, token_id, now))


@use_case
def register_guest(*, game: Game, tokens: Sequence[Token], now: datetime) -> Grant:
    """A new guest with a session, whose game may spend what the guest will own of ``tokens``."""
    player = players.insert_player(plyr_id=players.guest_plyr_id(), user=None, otp_secret=None, now=now)
    amounts = {t.pk: min(GUEST_ALLOWANCE_TOKENS * 10**t.decimals, AMOUNT_MINOR_MAX) for t in tokens}
    allowances.grant(player_id=player.pk, game_id=game.pk, amounts_minor=amounts, expires_at=None)
    return _begin_session(player, game, GUEST_SESSION_SECONDS, now)


@use_case
def log_out(*, token: str, game: Game, now: datetime) -> None:
    """End the session of this token. Raises ``SessionInvalid``, ``GuestCannotLogOut``."""
    session = _live_session(token, game, now, lock=True)
    if session.player.is_guest:
        raise GuestCannotLogOut()
    session.nonce += 1
    session.expires_at = now
    session.save(update_fields=["nonce", "expires_at"])


def verify(*, token: str, game: Game, now: datetime) -> Grant:
    """The live session of this token. Raises ``SessionInvalid``, its message saying why."""
    session = _live_session(token, game, now, lock=False)
    return Grant(token=token, player=session.player, payload=session_tokens.read(token).payload)


@use_case
def public_key(*, now: datetime) -> str:
    """The public key, in PEM, that verifies session tokens offline."""
    return session_tokens.ensure_key(now=now).public_pem


def bearers(*, tokens: Sequence[str], game: Game, now: datetime) -> list[Bearer]:
    """The players of these tokens, in order. One statement for the sessions and one per signing key."""
    public_id = game_public_id(game)
    read = [_read(token) for token in tokens]
    shown_by = {claims.plyr_id for claims in read if claims is not None}
    rows = PlayerSession.objects.filter(game=game, player__plyr_id__in=shown_by).select_related("player__user")
    sessions = {session.player.plyr_id: session for session in rows}
    answer = []
    for position, claims in enumerate(read):
        if claims is None:
            # An unreadable token names no player: its position stands for it.
            answer.append(Bearer(plyr_id=str(position), seat=None, refusal=UNREADABLE))
            continue
        session = sessions.get(claims.plyr_id)
        refusal = _refusal(claims, session, public_id, now)
        seat = Seat(player_id=session.player_id, plyr_id=claims.plyr_id) if session and not refusal else None
        answer.append(Bearer(plyr_id=claims.plyr_id, seat=seat, refusal=refusal))
    return answer


def _accepted(outcome: T | DomainError) -> T:
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


@use_case
def _log_in(
    plyr_id: str,
    code: str,
    game: Game,
    guesser: otp.Guesser,
    lifetime_seconds: int | None,
    allowances_minor: Mapping[int, int],
    now: datetime,
) -> Grant | DomainError:
    player = otp.consume(plyr_id=plyr_id, code=code, guesser=guesser, now=now)
    if isinstance(player, DomainError):
        return player
    lifetime = lifetime_seconds or SESSION_SECONDS_DEFAULT
    if allowances_minor:
        allowances.grant(
            player_id=player.pk,
            game_id=game.pk,
            amounts_minor=allowances_minor,
            expires_at=now + timedelta(seconds=lifetime),
        )
    return _begin_session(player, game, lifetime, now)


@use_case
def _approve(
    plyr_id: str,
    code: str,
    game: Game,
    guesser: otp.Guesser,
    amounts_minor: Mapping[int, int],
    lifetime_seconds: int | None,
    now: datetime,
) -> DomainError | None:
    player = otp.consume(plyr_id=plyr_id, code=code, guesser=guesser, now=now)
    if isinstance(player, DomainError):
        return player
    expires_at = None if lifetime_seconds is None else now + timedelta(seconds=lifetime_seconds)
    allowances.grant(player_id=player.pk, game_id=game.pk, amounts_minor=amounts_minor, expires_at=expires_at)
    return None


@use_case
def _revoke(
    plyr_id: str, code: str, game: Game, guesser: otp.Guesser, token_id: int | None, now: datetime
) -> DomainError | None:
    player = otp.consume(plyr_id=plyr_id, code=code, guesser=guesser, now=now)
    if isinstance(player, DomainError):
        return player
    allowances.revoke(player_id=player.pk, game_id=game.pk, token_id=token_id)
    return None


def _begin_session(player: PlayerProfile, game: Game, lifetime_seconds: int, now: datetime) -> Grant:
    """A session whose nonce is one higher than the last: the player's row is locked, so logins take turns."""
    require_atomic()
    expires_at = now + timedelta(seconds=lifetime_seconds)
    session, is_new = PlayerSession.objects.get_or_create(
        player=player, game=game, defaults={"nonce": 1, "expires_at": expires_at}
    )
    if not is_new:
        session = PlayerSession.objects.select_for_update(no_key=True).get(pk=session.pk)
        session.nonce += 1
        session.expires_at = expires_at
        session.save(update_fields=["nonce", "expires_at"])
    payload = {
        "plyrId": player.plyr_id,
        "nonce": session.nonce,
        "gameId": game_public_id(game),
        "primaryAddress": player.primary_address,
        "mirrorAddress": player.mirror_address,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
    }
    key = session_tokens.ensure_key(now=now)
    return Grant(token=session_tokens.issue(key=key, payload=payload), player=player, payload=payload)


def _live_session(token: str, game: Game, now: datetime, *, lock: bool) -> PlayerSession:
    claims = session_tokens.read(token)
    rows = PlayerSession.objects.select_related("player__user").filter(game=game, player__plyr_id=claims.plyr_id)
    session = (rows.select_for_update(no_key=True, of=("self",)) if lock else rows).first()
    refusal = _refusal(claims, session, game_public_id(game), now)
    if session is None or refusal:
        raise SessionInvalid(refusal)
    return session


def _read(token: str) -> session_tokens.Claims | None:
    try:
        return session_tokens.read(token)
    except SessionInvalid:
        return None


def _refusal(claims: session_tokens.Claims, session: PlayerSession | None, public_id: str, now: datetime) -> str:
    """Why a genuine token is not valid, in the contract's words; empty when it is."""
    if claims.game_public_id != public_id:
        return "Invalid gameId"
    if claims.expires_at <= now.timestamp():
        return "JWT deadline is expired"
    if session is None or not session.player.user.is_active:
        return "User not found"
    if claims.nonce != session.nonce or session.expires_at <= now:
        return "JWT nonce is expired"
    return ""
