"""One pair of eyes for all bots: which sessions can be joined, and how those that were joined have ended."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gameplatform.demo.client import Answer, Caller, PlayError, Tally, minor
from gameplatform.demo.reconcile import Book, Results, Surprise, Terms, check_results, check_standings

ANY_MODE = "any"
POLL_SECONDS = 1.0
# So many prizes that too few will come: a bot or two is enough to see the refund.
LONG_SHOT_PRIZES = 10
LONG_SHOT_BOTS = 2


@dataclass(kw_only=True)
class SeenSession:
    """A session as the lobby last saw it. ``bots`` counts the bots that are in it or on their way."""

    room_id: int
    result_mode: str
    terms: Terms
    length: timedelta
    is_pending: bool = False
    is_running: bool = False
    can_join: bool = False
    bots: int = 0

    @property
    def wants_bots(self) -> bool:
        return self.can_join and (len(self.terms.shares_bp) < LONG_SHOT_PRIZES or self.bots < LONG_SHOT_BOTS)


class Lobby:
    """What is going on in the rooms, and the results for everybody's book.

    ``mode`` is the result mode of the sessions to choose from, or ``ANY_MODE``.
    """

    def __init__(self, caller: Caller, tally: Tally, mode: str) -> None:
        self._caller = caller
        self._tally = tally
        self._mode = mode
        self._books: list[Book] = []
        self._sessions: dict[int, SeenSession] = {}

    def open_book(self) -> Book:
        """A book that is told the results of its sessions."""
        book = Book()
        self._books.append(book)
        return book

    def choose(self, book: Book) -> SeenSession | None:
        """A session that this book's bot could join, any of them."""
        free = [
            seen
            for seen in self._sessions.values()
            if seen.wants_bots and self._is_wanted(seen) and seen.terms.session_id not in book.entries
        ]
        return random.choice(free) if free else None

    def takes_scores(self, session_id: int) -> bool:
        """Whether the players' scores decide this session and it was running when last seen."""
        seen = self._sessions.get(session_id)
        return seen is not None and seen.terms.score_order is not None and seen.is_running

    def is_over(self) -> bool:
        """Whether no book has a place in a live session."""
        return not any(book.entries for book in self._books)

    def longest_session(self) -> timedelta:
        """From opening to end, of the sessions that somebody is in."""
        return max((seen.length for seen in self._sessions.values() if seen.bots), default=timedelta())

    async def watch(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            await self._look()
            await asyncio.sleep(POLL_SECONDS)

    async def _look(self) -> None:
        rooms = _expect(await self._caller.get("game-rooms", limit=100))
        live: set[int] = set()
        for room in rooms.data:
            current = room["current_session"]
            if current is not None and current["status"] in ("pending", "running"):
                live.add(current["id"])
                seen = self._sessions.get(current["id"]) or await self._discover(room["id"], current["id"])
                seen.is_pending = current["status"] == "pending"
                seen.is_running = current["status"] == "running"
                seen.can_join = current["can_join"]
        for session_id in list(self._sessions.keys() - live):
            await self._finish(session_id)

    async def _discover(self, room_id: int, session_id: int) -> SeenSession:
        detail = _expect(await self._caller.get(f"game-rooms/sessions/{session_id}")).data
        seen = SeenSession(
            room_id=room_id,
            result_mode=detail["result_mode"],
            terms=Terms(
                session_id=session_id,
                fee_minor=minor(detail["participation_amount"]),
                shares_bp=tuple(int(prize["percent"] * 100) for prize in detail["game_set_prizes"]),
                score_order=detail["score_order"],
            ),
            length=_moment(detail["time_end"]) - _moment(detail["time_open"]),
        )
        self._sessions[session_id] = seen
        self._tally.sessions_seen += self._is_wanted(seen)
        return seen

    def _is_wanted(self, seen: SeenSession) -> bool:
        return self._mode in (ANY_MODE, seen.result_mode)

    async def _finish(self, session_id: int) -> None:
        """Close a session that is not shown as live any more in every book; forget it when nobody is left."""
        seen = self._sessions[session_id]
        seen.is_pending = seen.is_running = seen.can_join = False
        if seen.bots == 0:
            del self._sessions[session_id]
            return
        data = _expect(await self._caller.get(f"game-rooms/sessions/{session_id}/results")).data
        if data["outcome"] is None:
            return
        results = _results(session_id, data)
        with self._noting_surprises():
            check_results(seen.terms, results)
            entries = [book.entries[session_id] for book in self._books if session_id in book.entries]
            check_standings(seen.terms, results, {entry.join_id: entry for entry in entries})
        for book in self._books:
            entry = book.entries.get(session_id)
            # Whoever is just leaving may have left: the results are theirs when the answer says no.
            if entry is not None and not entry.is_leaving:
                seen.bots -= 1
                with self._noting_surprises():
                    self._close(book, results)
        self._tally.sessions_over += seen.bots == 0

    def _close(self, book: Book, results: Results) -> None:
        amount_minor = book.closed(results)
        self._tally.refunds += results.is_refunded
        self._tally.prizes += not results.is_refunded and amount_minor > 0

    @contextmanager
    def _noting_surprises(self) -> Iterator[None]:
        try:
            yield
        except Surprise as surprise:
            self._tally.surprises.add(str(surprise))


def _expect(answer: Answer) -> Answer:
    """The answer of a question that is never refused. Raises ``PlayError``."""
    if not answer.is_success:
        raise PlayError(f"The platform refuses to show its rooms: {answer.message}")
    return answer


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _results(session_id: int, data: dict[str, Any]) -> Results:
    return Results(
        session_id=session_id,
        is_refunded=data["outcome"] == "refunded",
        pool_minor=minor(data["total_amount"]),
        prizes_minor={place["join_id"]: minor(place["prize"]) for place in data["standings"]},
        scores={place["join_id"]: _score(place.get("score")) for place in data["standings"]},
    )


def _score(number: int | Decimal | None) -> Decimal | None:
    return None if number is None else Decimal(number)
