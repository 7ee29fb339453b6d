"""System checks of the rooms' settings, so that start-up reports what a request would fail on."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from core.amounts import InvalidAmount, parse_amount
from rooms.terms import AMOUNT_DECIMALS


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W001: no names can be generated. E001: the highest entry fee is not above 0 (contract: rooms)."""
    found: list[CheckMessage] = []
    if not settings.DEFAULT_SYMBOL_GAME_ROOM:
        found.append(
            Warning(
                "DEFAULT_SYMBOL_GAME_ROOM is not set: a room that is created without a name is answered with a 500.",
                hint="Set it to the first part of generated names: GOLD makes GOLD_SLOT_001.",
                id="rooms.W001",
            )
        )
    if not _is_fee(settings.ROOM_MAX_PARTICIPATION_AMOUNT):
        found.append(
            Error(
                f"ROOM_MAX_PARTICIPATION_AMOUNT is {settings.ROOM_MAX_PARTICIPATION_AMOUNT!r}, which is no amount.",
                hint=f"Set it to a number above 0 with at most {AMOUNT_DECIMALS} decimals, such as 100 or 99.50.",
                id="rooms.E001",
            )
        )
    return found


def _is_fee(text: str) -> bool:
    try:
        return parse_amount(text, decimals=AMOUNT_DECIMALS) > 0
    except InvalidAmount:
        return False
