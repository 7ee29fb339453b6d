"""Draw v1: the published vector, and what a draw must be for any roster."""

import hashlib
from collections import Counter
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from rooms import draw

SESSION = "3f0f7d4e-0b0a-4a61-9a55-0d5e1b9b7c01"
SEED = bytes.fromhex("f10e2f623f4a91a65cd86a5d8cde45c613ea1cff9d3389f2a949b41e1a727581")
ENTRIES = [f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3, 4)]


def test_the_published_vector():
    assert (
        draw.commit(session_id=SESSION, seed=SEED) == "71438dbee548aad0509d25832fcfabb500bf02f41dbaaddc8b02717a540c2c95"
    )
    assert (
        draw.roster(session_id=SESSION, entry_ids=ENTRIES)
        == "dc8cc3c5884b0bcc2358f9b23e96f6e0d78fe9d0c1c34bfefba357dd9ad38d6f"
    )
    result = draw.draw(session_id=SESSION, seed=SEED, entry_ids=ENTRIES)
    assert result.key == "24b2639139640b2dd39e16efc0cc3d128352bed7221c1fc542d9e364931465ac"
    assert [ENTRIES.index(entry) + 1 for entry in result.order] == [3, 2, 1, 4]


@given(st.lists(st.uuids().map(str), min_size=1, max_size=30, unique=True), st.binary(min_size=32, max_size=32))
def test_draw_ranks_each_entry_once(entries, seed):
    result = draw.draw(session_id=SESSION, seed=seed, entry_ids=entries)
    assert sorted(result.order) == sorted(entries)
    assert draw.draw(session_id=SESSION, seed=seed, entry_ids=entries[::-1]).order == result.order


@given(st.lists(st.uuids().map(str), min_size=2, max_size=10, unique=True))
def test_another_roster_is_another_draw(entries):
    whole = draw.draw(session_id=SESSION, seed=SEED, entry_ids=entries)
    fewer = draw.draw(session_id=SESSION, seed=SEED, entry_ids=entries[1:])
    assert whole.key != fewer.key


def test_every_order_is_about_as_likely():
    """24 orders of 4 entries over 24,000 seeds: chi-square far below the 0.1 % bound of 49.7 for 23 degrees."""
    seeds = (hashlib.sha256(str(n).encode()).digest() for n in range(24_000))
    seen = Counter(tuple(draw.draw(session_id=SESSION, seed=seed, entry_ids=ENTRIES).order) for seed in seeds)
    assert set(seen) == set(permutations(ENTRIES))
    assert sum((count - 1_000) ** 2 / 1_000 for count in seen.values()) < 49.7
