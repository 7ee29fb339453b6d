"""A run of bots: start them, tell how it goes, let their sessions finish, and reconcile."""

import asyncio
import secrets
import signal
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import httpx

from core.amounts import format_amount_fixed
from gameplatform.demo.bots import Bot, Table
from gameplatform.demo.client import TIMEOUT, Caller, PlayError, Tally
from gameplatform.demo.lobby import ANY_MODE, Lobby
from gameplatform.demo.logins import Login
from gameplatform.demo.reconcile import Difference
from rooms.terms import AMOUNT_DECIMALS

# On top of the longest session that a bot is in: what a restart of every part may cost.
PATIENCE_SECONDS = 90.0
# A platform that is just being started, or started again, is waited for.
REACH_SECONDS = 30.0
RECONCILE_SECONDS = 120.0
# A process hashes one password at a time: more at once would only be sent away.
ENTERING_AT_ONCE = 1
LIVELY_PAUSE_SECONDS = (0.5, 2.0)
CALM_PAUSE_SECONDS = (2.0, 6.0)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to play. ``seconds`` is ``None`` for a play without end; ``report_seconds`` lie between two reports.

    ``mode`` is the result mode of the sessions to join, or ``ANY_MODE``.
    """

    base_url: str
    players: int
    seconds: float | None
    staff: Login
    token: str
    mode: str
    report_seconds: float


async def play(plan: Plan, *, say: Callable[[str], None], progress: Callable[[str], None]) -> bool:
    """Play, let the sessions finish, and compare every wallet; whether all is as it should be.

    Ctrl-C ends the playing early. ``say`` prints a line, ``progress`` a passing state. Raises ``PlayError`` when it
    cannot be played, ``asyncio.CancelledError`` on SIGTERM or a second Ctrl-C.
    """
    limits = httpx.Limits(max_connections=plan.players + 2)
    # A proxy for the outside world would stand between the players and a platform on this machine. OpenSSL's own list
    # of authorities, because an operator can add one to it (SSL_CERT_FILE).
    authorities = ssl.create_default_context()
    async with httpx.AsyncClient(
        base_url=plan.base_url, timeout=TIMEOUT, limits=limits, trust_env=False, verify=authorities
    ) as http:
        run = _Run(plan, http, say, progress)
        try:
            await run.play()
        except BaseExceptionGroup as group:
            # Whatever else fell over with it, the reason is what the person can mend.
            reasons = group.subgroup(PlayError)
            if reasons is None:
                raise
            raise reasons.exceptions[0] from group
        return await run.reconcile()


class _Run:
    def __init__(
        self, plan: Plan, http: httpx.AsyncClient, say: Callable[[str], None], progress: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._say = say
        self._progress = progress
        self._tally = Tally()
        self._stopping = asyncio.Event()
        staff = Caller(http, plan.staff, self._tally)
        self._staff = staff
        self._lobby = Lobby(staff, self._tally, plan.mode)
        table = Table(
            staff=staff,
            lobby=self._lobby,
            tally=self._tally,
            token=plan.token,
            pause_seconds=CALM_PAUSE_SECONDS if plan.seconds is None else LIVELY_PAUSE_SECONDS,
            stopping=self._stopping,
            entrance=asyncio.Semaphore(ENTERING_AT_ONCE),
        )
        logins = _new_logins(plan.players)
        self._bots = [Bot(login.username, Caller(http, login, self._tally), table) for login in logins]

    async def play(self) -> None:
        self._listen_for_stop()
        try:
            async with asyncio.timeout(REACH_SECONDS):
                await self._staff.log_in()
        except TimeoutError:
            raise PlayError(
                f"{self._plan.base_url} does not answer ({', '.join(self._tally.errors)}). Start the platform with"
                " ./bin/up, or name it with --base-url."
            ) from None
        async with asyncio.TaskGroup() as group:
            watching = [group.create_task(self._lobby.watch()), group.create_task(self._report())]
            playing = [group.create_task(bot.play()) for bot in self._bots]
            with suppress(TimeoutError):
                async with asyncio.timeout(self._plan.seconds):
                    await self._stopping.wait()
            self._stopping.set()
            self._say("No more joins; waiting for the sessions that the players are in.")
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS + self._lobby.longest_session().total_seconds()):
                    await self._until_over(playing)
            for task in (*watching, *playing):
                task.cancel()

    async def reconcile(self) -> bool:
        """Compare every bot's book with its wallet, print what differs, and say whether nothing does."""
        tally = self._tally
        self._say(_summary(tally))
        if not tally.joins:
            raise PlayError(_nothing_joined(self._plan.mode))
        try:
            async with asyncio.timeout(RECONCILE_SECONDS):
                differences = await asyncio.gather(*(bot.differences() for bot in self._bots))
        except TimeoutError:
            raise PlayError("The wallets could not be read: the platform does not answer.") from None
        findings = sorted(tally.surprises)
        for bot, found in zip(self._bots, differences, strict=True):
            findings += [f"{bot.name}: {question} was never answered" for question in sorted(bot.unanswered)]
            findings += [f"{bot.name}: session {session_id} is not over" for session_id in bot.book.entries]
            findings += [_row(bot.name, difference) for difference in found]
        if findings:
            self._say(f"{'player':<20} {'where':<20} {'expected':>12} {'actual':>12} {'difference':>12}")
            for finding in findings:
                self._say(finding)
            return False
        self._say(f"Reconciled: {len(self._bots)} players, {tally.sessions_over} sessions, to the last unit")
        return True

    def _listen_for_stop(self) -> None:
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        assert main is not None

        def interrupted() -> None:
            if self._stopping.is_set():
                main.cancel()
            self._stopping.set()

        loop.add_signal_handler(signal.SIGINT, interrupted)
        loop.add_signal_handler(signal.SIGTERM, main.cancel)

    async def _until_over(self, playing: Sequence[asyncio.Task[None]]) -> None:
        await asyncio.wait(playing)
        while not self._lobby.is_over():
            await asyncio.sleep(0.1)

    async def _report(self) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(self._plan.report_seconds)
            self._progress(f"{time.monotonic() - began:5.0f} s  {_summary(self._tally)}")


def _new_logins(count: int) -> list[Login]:
    run = secrets.token_hex(4)
    return [Login(username=f"bot-{run}-{n:03}", password=secrets.token_urlsafe(12)) for n in range(1, count + 1)]


def _nothing_joined(mode: str) -> str:
    if mode == ANY_MODE:
        return "Nobody has joined anything: no room was open. Make rooms with manage.py seed_demo."
    return (
        f"Nobody has joined anything: no room decided by {mode} was open. Make rooms of each mode with"
        f" manage.py seed_demo, or play in all rooms with --mode {ANY_MODE}."
    )


def _summary(tally: Tally) -> str:
    parts = [
        f"{tally.sessions_seen} sessions seen",
        f"{tally.joins} joins",
        f"{tally.leaves} leaves",
        f"{tally.scores} scores",
        f"{tally.prizes} prizes",
        f"{tally.refunds} refunds",
        f"{tally.refusals.total()} refusals{_by_kind(tally.refusals)}",
        f"{tally.errors.total()} errors{_by_kind(tally.errors)}",
    ]
    return ", ".join(parts)


def _by_kind(counts: Counter[str]) -> str:
    kinds = "; ".join(f"{count} × {kind}" for kind, count in counts.most_common())
    return f" ({kinds})" if kinds else ""


def _row(name: str, difference: Difference) -> str:
    expected, actual = difference.expected_minor, difference.actual_minor
    amounts = [
        format_amount_fixed(amount, decimals=AMOUNT_DECIMALS) for amount in (expected, actual, actual - expected)
    ]
    return f"{name:<20} {difference.reference:<20} {amounts[0]:>12} {amounts[1]:>12} {amounts[2]:>12}"
