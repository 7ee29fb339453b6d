"""A bot: a player with an account of its own who joins, sometimes leaves, and keeps book of its money."""

import asyncio
import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal

from core.amounts import format_amount_fixed
from gameplatform.demo.client import Answer, Caller, PlayError, Tally, minor
from gameplatform.demo.lobby import Lobby, SeenSession
from gameplatform.demo.reconcile import Difference, Entry, SentScore
from payments.errors import ApprovalNeeded
from rooms.terms import AMOUNT_DECIMALS

TOP_UP_MINOR = 100_00
APPROVAL_NEEDED = ApprovalNeeded.default_message.partition("%")[0]
LEAVE_PROBABILITY = 0.12
SECONDS_BEFORE_LEAVING = (1.0, 4.0)
# How many scores a bot sends in a session: most one or two, some none.
SCORES_SENT = (0, 1, 1, 1, 2, 2, 2)
# So few different scores, in tenths, that some are equal.
SCORE_TENTHS = range(300, 500, 5)
STATEMENT_LINES = 100


@dataclass(frozen=True, kw_only=True)
class Table:
    """What all bots of one run share."""

    staff: Caller
    lobby: Lobby
    tally: Tally
    token: str
    pause_seconds: tuple[float, float]
    stopping: asyncio.Event
    # Signing up costs the server a slow hash on purpose; a crowd at the door would only time out.
    entrance: asyncio.Semaphore

    async def rest(self, seconds: tuple[float, float]) -> None:
        """Do nothing for a while, or until the bots are to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), random.uniform(*seconds))


class Bot:
    """One player. ``unanswered`` names the questions whose answers it does not know."""

    def __init__(self, name: str, caller: Caller, table: Table) -> None:
        self.name = name
        self.unanswered: set[str] = set()
        self._caller = caller
        self._table = table
        self._user_id = 0
        self.book = table.lobby.open_book()

    async def play(self) -> None:
        """Register, connect a wallet, get tokens, join until the table stops, and score until all scores are sent."""
        async with self._table.entrance:
            self._user_id = await self._caller.register()
        connected = await self._caller.send("PATCH", "auth/me", {"wallet_address": f"wallet-of-{self.name}"})
        if not connected.is_success:
            raise PlayError(f"{self.name} cannot connect a wallet: {connected.message}")
        await self._top_up(TOP_UP_MINOR)
        while not self._table.stopping.is_set():
            await self._turn()
            await self._send_scores()
            await self._table.rest(self._table.pause_seconds)
        while any(entry.scores_left for entry in self.book.entries.values()):
            await self._send_scores()
            await asyncio.sleep(random.uniform(*self._table.pause_seconds))

    async def differences(self) -> list[Difference]:
        """Where the wallet disagrees with the book, none when it does not: the balance first, then where from."""
        balances = {line["token"]: line["balance"] for line in (await self._caller.get("wallet")).data}
        actual_minor = minor(balances.get(self._table.token, "0"))
        if actual_minor == self.book.expected_minor:
            return []
        total = Difference(reference="wallet", expected_minor=self.book.expected_minor, actual_minor=actual_minor)
        return [total, *self.book.differences(statement=await self._statement())]

    async def _statement(self) -> list[tuple[str, int]]:
        lines: list[tuple[str, int]] = []
        query: dict[str, int | str] = {"token": self._table.token, "limit": STATEMENT_LINES}
        while True:
            page = await self._caller.get("wallet/statement", **query)
            lines += [(line["reference"], _signed_minor(line["amount"])) for line in page.data]
            if page.body["next"] is None:
                return lines
            query["before"] = page.body["next"]

    async def _turn(self) -> None:
        chosen = self._table.lobby.choose(self.book)
        if chosen is None:
            return
        # On the way from here on: the others see one seat less.
        chosen.bots += 1
        joined = await self._looks_open(chosen) and await self._join(chosen)
        if not joined:
            chosen.bots -= 1
        elif random.random() < LEAVE_PROBABILITY:
            await self._table.rest(SECONDS_BEFORE_LEAVING)
            if chosen.is_pending and chosen.terms.session_id in self.book.entries:
                await self._leave(chosen)

    async def _looks_open(self, chosen: SeenSession) -> bool:
        """Look at the room itself, as a person would before paying."""
        room = await self._caller.get("game-rooms/find-by-id", room_id=chosen.room_id)
        if self._is_refused(room):
            return False
        current = room.data["current_session"]
        return current is not None and current["id"] == chosen.terms.session_id and bool(current["can_join"])

    async def _join(self, chosen: SeenSession) -> bool:
        terms = chosen.terms
        if self.book.expected_minor < terms.fee_minor and not await self._top_up(max(TOP_UP_MINOR, terms.fee_minor)):
            return False
        body = {"room_id": chosen.room_id, "session_id": terms.session_id, "amount": _text(terms.fee_minor)}
        with self._until_answered(f"joining session {terms.session_id}"):
            answer = await self._caller.send("POST", "game-join-rooms", body, key=str(uuid.uuid4()))
        if self._is_refused(answer):
            return False
        fee_minor = minor(answer.data["amount"])
        if fee_minor != terms.fee_minor:
            self._table.tally.surprises.add(
                f"session {terms.session_id}: {_text(fee_minor)} was charged, not {_text(terms.fee_minor)}"
            )
        self.book.joined(
            session_id=terms.session_id,
            join_id=answer.data["id"],
            fee_minor=fee_minor,
            scores_left=0 if terms.score_order is None else random.choice(SCORES_SENT),
        )
        self._table.tally.joins += 1
        return True

    async def _leave(self, chosen: SeenSession) -> None:
        session_id = chosen.terms.session_id
        entry = self.book.entries[session_id]
        entry.is_leaving = True
        with self._until_answered(f"leaving session {session_id}"):
            answer = await self._caller.send(
                "POST", "game-join-rooms/leave", {"session_id": session_id}, key=str(uuid.uuid4())
            )
        entry.is_leaving = False
        if self._is_refused(answer):
            return
        self.book.left(session_id=session_id)
        chosen.bots -= 1
        self._table.tally.leaves += 1

    async def _send_scores(self) -> None:
        for session_id, entry in list(self.book.entries.items()):
            if entry.scores_left and self._table.lobby.takes_scores(session_id):
                await self._send_score(session_id, entry)

    async def _send_score(self, session_id: int, entry: Entry) -> None:
        value = Decimal(random.choice(SCORE_TENTHS)).scaleb(-1)
        entry.scores_left -= 1
        entry.is_score_known = False
        asked_at = time.monotonic()
        with self._until_answered(f"a score in session {session_id}"):
            answer = await self._caller.send("POST", f"game-rooms/sessions/{session_id}/score", {"score": float(value)})
        if self._is_refused(answer):
            # The session is over. An earlier try, whose answer was lost, may have come in time.
            entry.scores_left = 0
            entry.is_score_known = not answer.was_repeated
            return
        entry.scored(SentScore(value=value, asked_at=asked_at, answered_at=time.monotonic()))
        self._table.tally.scores += 1

    async def _top_up(self, amount_minor: int) -> bool:
        """Get tokens from staff; not when staff has given as much as one person may in a day."""
        body = {
            "user_id": self._user_id,
            "token": self._table.token,
            "amount": _text(amount_minor),
            "reason": "Money for a demo player",
        }
        with self._until_answered(f"a deposit of {_text(amount_minor)}"):
            answer = await self._table.staff.send("POST", "wallet/deposits", body, key=str(uuid.uuid4()))
        if answer.message.startswith(APPROVAL_NEEDED):
            return not self._is_refused(answer)
        if not answer.is_success:
            raise PlayError(f"The staff login cannot give {self._table.token} to players: {answer.message}")
        self.book.deposited(user_id=self._user_id, amount_minor=minor(answer.data["amount"]))
        return True

    def _is_refused(self, answer: Answer) -> bool:
        if not answer.is_success:
            self._table.tally.refusals[answer.message] += 1
        return not answer.is_success

    @contextmanager
    def _until_answered(self, question: str) -> Iterator[None]:
        """Remember the question for as long as its answer is not known, also when the waiting is given up."""
        self.unanswered.add(question)
        yield
        self.unanswered.discard(question)


def _text(amount_minor: int) -> str:
    return format_amount_fixed(amount_minor, decimals=AMOUNT_DECIMALS)


def _signed_minor(text: str) -> int:
    return -minor(text[1:]) if text.startswith("-") else minor(text)
