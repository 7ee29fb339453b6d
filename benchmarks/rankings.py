"""What rankings cost as a contest grows: ``python benchmarks/rankings.py`` against DATABASE_URL.

Everything happens in one transaction that is rolled back. What to read are the ratios within one run, not the
milliseconds: those are the machine's. A place in the middle of the field is counted along half of the contest's index;
rows that no vacuum has seen yet, as all are here, make that about three times as slow as it is later.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")

import django

django.setup()

from django.db import connection, transaction

from accounts.models import Game, GameUser
from rounds import contests, queries
from rounds.models import Contest, Round

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SIZES = (10, 1_000, 100_000)


def fill(game: Game, size: int) -> Contest:
    """A contest of that many rows with different scores."""
    player = GameUser.objects.create(game=game, username=f"many-{size}", created_at=NOW)
    contest = contests.open_contest(game=game, controller=Contest.Controller.API, score_order="desc", now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rounds_round (game_id, game_user_id, contest_id, authoritative, game_type, start_time, score,"
            " standing, submitted_at, created_at, updated_at)"
            " SELECT %s, %s, %s, false, 'benchmark', %s, n, -n, %s, %s, %s"
            " FROM generate_series(1, %s) n ORDER BY hashint4(n)",
            [game.pk, player.pk, contest.pk, *[NOW] * 4, size],
        )
        cursor.execute("ANALYZE rounds_round")
    Contest.objects.filter(pk=contest.pk).update(rounds_count=size)
    return contest


def median_ms(action: Callable[[int], object], *, times: int) -> float:
    """The median duration of ``action(n)`` for n in 0, 1, 2 …"""
    durations = []
    for n in range(times):
        start = time.perf_counter()
        action(n)
        durations.append(1_000 * (time.perf_counter() - start))
    return statistics.median(durations)


def measure(contest: Contest, size: int, *, times: int) -> dict[str, float]:
    middle = Round.objects.get(contest=contest, score=max(1, size // 2))
    near_top = Round.objects.get(contest=contest, score=size - size // 100)

    def update_score(n: int) -> None:
        contests.set_score(near_top, score=Decimal(size) - Decimal(n) / 7, order="desc", now=NOW)
        near_top.save(update_fields=["score", "standing", "submitted_at"])

    def rewrite_places(n: int) -> None:
        update_score(n)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE rounds_round r SET place = p.place FROM (SELECT id, row_number() OVER"
                " (ORDER BY standing, submitted_at, id) AS place FROM rounds_round WHERE contest_id = %s) p"
                " WHERE p.id = r.id",
                [contest.pk],
            )

    results = {
        "update a score": median_ms(update_score, times=times),
        "own place, top 1 %": median_ms(lambda n: queries.round_row(near_top.pk), times=times),
        "own place, middle": median_ms(lambda n: queries.round_row(middle.pk), times=times),
        "rankings of a round": median_ms(
            lambda n: queries.rankings_of([{"contest_id": contest.pk, "id": middle.pk}]), times=times
        ),
    }
    # Last, for it leaves places behind: what is not done here.
    results["(update and rewrite all places)"] = median_ms(rewrite_places, times=3)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=50, help="repetitions of each measurement")
    times = parser.parse_args().times
    with transaction.atomic():
        game = Game.objects.create(name="Benchmark of rankings", symbol="BENCHMARK_RANKINGS")
        by_size = {size: measure(fill(game, size), size, times=times) for size in SIZES}
        transaction.set_rollback(True)
    print(f"{'median ms':34}" + "".join(f"{size:>12,}" for size in SIZES) + f"{'ratio':>10}")
    for name in by_size[SIZES[0]]:
        figures = [by_size[size][name] for size in SIZES]
        cells = "".join(f"{figure:>12.2f}" for figure in figures)
        print(f"{name:34}{cells}{figures[-1] / figures[0]:>9.0f}x")


if __name__ == "__main__":
    main()
