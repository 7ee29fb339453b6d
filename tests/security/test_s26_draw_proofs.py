"""S26: the published script vouches only for ranks that the draw decided."""

import pytest

from rooms import proof
from rooms.tests.test_verify_draw import check, session

__all__ = ["session"]


@pytest.mark.parametrize("mode", ["score", "submitted"])
def test_script_vouches_for_no_undrawn_ranks(session, mode):
    answer = check({**proof.proof(session), "result_mode": mode})
    assert answer.returncode == 2
    assert "RIGHT" not in answer.stdout
    assert f"decided by {mode}" in answer.stdout
