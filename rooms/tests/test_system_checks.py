"""`manage.py check` tells of settings that rooms cannot live with."""

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError


def found() -> list[tuple[str, str | None]]:
    """Our findings among those of the whole project, so that the registration is tested too."""
    return [(m.id, m.hint) for m in run_checks() if m.id and m.id.startswith("rooms.")]


@pytest.fixture(autouse=True)
def _good(settings, db):
    settings.DEFAULT_SYMBOL_GAME_ROOM = "GOLD"
    settings.ROOM_MAX_PARTICIPATION_AMOUNT = "100"


def test_good_settings_are_passed_over_in_silence():
    assert found() == []


def test_a_missing_default_symbol_is_a_warning_with_a_hint(settings):
    settings.DEFAULT_SYMBOL_GAME_ROOM = ""
    assert found() == [("rooms.W001", "Set it to the first part of generated names: GOLD makes GOLD_SLOT_001.")]
    call_command("check")


@pytest.mark.parametrize("amount", ["0.01", "99.50", "90000000000000"])
def test_any_amount_may_be_the_highest_fee(settings, amount):
    settings.ROOM_MAX_PARTICIPATION_AMOUNT = amount
    assert found() == []


@pytest.mark.parametrize("amount", ["", "0", "-1", "1e3", "100,00", "1.005", "a hundred", "NaN"])
def test_a_highest_fee_that_is_no_amount_is_an_error(settings, amount):
    settings.ROOM_MAX_PARTICIPATION_AMOUNT = amount
    assert [id for id, _ in found()] == ["rooms.E001"]
    with pytest.raises(SystemCheckError, match=r"rooms\.E001"):
        call_command("check")
