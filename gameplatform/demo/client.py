"""The platform as its players reach it: HTTP only, every question repeated until it is answered.

A repetition carries the key of the first try, so that what was done already is answered and not done again. Only the
caller's own cancellation ends the repeating.
"""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import httpx

from core.amounts import number_text, parse_amount
from core.idempotency import IdempotencyInFlight
from gameplatform.demo.logins import Login
from rooms.terms import AMOUNT_DECIMALS

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
TIMEOUT = httpx.Timeout(15, connect=5)


class PlayError(Exception):
    """Nobody can go on playing; the message is for the person who started it."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A final answer: a success or a refusal, never a failure.

    When the question ``was_repeated``, a refusal does not say what an earlier try has done.
    """

    status: int
    body: dict[str, Any]
    retry_after_seconds: int = 0
    was_repeated: bool = False

    @property
    def is_success(self) -> bool:
        return self.status < HTTPStatus.BAD_REQUEST

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def message(self) -> str:
        return str(self.body.get("message"))


@dataclass
class Tally:
    """What happened so far, of all bots together."""

    sessions_seen: int = 0
    sessions_over: int = 0
    joins: int = 0
    leaves: int = 0
    scores: int = 0
    prizes: int = 0
    refunds: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    surprises: set[str] = field(default_factory=set)


class Caller:
    """Somebody who asks the platform, signed in or about to be."""

    def __init__(self, http: httpx.AsyncClient, login: Login, tally: Tally) -> None:
        self._http = http
        self._login = login
        self._tally = tally
        self._signing_in = asyncio.Lock()
        self._access = ""
        self._refresh = ""

    async def register(self) -> int:
        """Make this login an account; its user id. A name that is taken was taken by a try whose answer was lost."""
        answer = await self._ask("POST", "auth/register", json=self._credentials())
        if answer.status == HTTPStatus.CONFLICT:
            return await self.log_in()
        return self._signed_in(answer)

    async def log_in(self) -> int:
        """Sign in with the password; the user id."""
        return self._signed_in(await self._ask("POST", "auth/login", json=self._credentials()))

    async def get(self, path: str, **params: int | str) -> Answer:
        """Read something."""
        return await self._ask_signed_in("GET", path, params=params)

    async def send(self, method: str, path: str, body: dict[str, Any], *, key: str | None = None) -> Answer:
        """Change something; ``key`` is its Idempotency-Key."""
        return await self._ask_signed_in(method, path, json=body, headers={"Idempotency-Key": key} if key else {})

    async def _ask_signed_in(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **content: Any
    ) -> Answer:
        while True:
            access = self._access
            bearer = {"Authorization": f"Bearer {access}"} | (headers or {})
            answer = await self._ask(method, path, headers=bearer, **content)
            if answer.status != HTTPStatus.UNAUTHORIZED:
                return answer
            await self._renew(access)

    async def _renew(self, expired: str) -> None:
        """New tokens, once for all questions that met the expired one."""
        async with self._signing_in:
            if self._access != expired:
                return
            answer = await self._ask("POST", "auth/refresh", json={"refresh": self._refresh})
            if answer.is_success:
                self._signed_in(answer)
            else:
                # A refresh whose answer was lost has used the token up; the password is the way back.
                await self.log_in()

    async def _ask(self, method: str, path: str, **content: Any) -> Answer:
        """Ask until there is an answer that is not the platform's own trouble."""
        pause = FIRST_PAUSE_SECONDS
        was_repeated = False
        while True:
            at_least = 0
            try:
                response = await self._http.request(method, f"/api/v1/{path}", **content)
            except httpx.TransportError as error:
                trouble = type(error).__name__
            else:
                answer = _answer(response)
                if not _is_worth_another_try(answer):
                    return replace(answer, was_repeated=was_repeated)
                trouble = f"{answer.status} {answer.message}"
                at_least = answer.retry_after_seconds
            self._tally.errors[trouble] += 1
            was_repeated = True
            await asyncio.sleep(at_least + pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _signed_in(self, answer: Answer) -> int:
        if not answer.is_success:
            raise PlayError(f"{self._login.username} cannot sign in: {answer.message}")
        self._access, self._refresh = answer.data["access"], answer.data["refresh"]
        user_id: int = answer.data["user"]["id"]
        return user_id

    def _credentials(self) -> dict[str, str]:
        return {"username": self._login.username, "password": self._login.password}


def minor(value: str | int | Decimal) -> int:
    """The minor units of an amount on the wire. Raises ``InvalidAmount``."""
    return parse_amount(value if isinstance(value, str) else number_text(value), decimals=AMOUNT_DECIMALS)


def _answer(response: httpx.Response) -> Answer:
    try:
        # Amounts stay the decimals they are; a float would only nearly be one.
        body = json.loads(response.text, parse_float=Decimal)
    except ValueError:
        body = {"message": f"no JSON in an answer {response.status_code}"}
    wait = response.headers.get("Retry-After", "")
    return Answer(status=response.status_code, body=body, retry_after_seconds=int(wait) if wait.isdigit() else 0)


def _is_worth_another_try(answer: Answer) -> bool:
    return (
        answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or answer.status == HTTPStatus.TOO_MANY_REQUESTS
        # The first try died with its server: its key is free again after a while.
        or (answer.status == HTTPStatus.CONFLICT and answer.message == IdempotencyInFlight.default_message)
    )
