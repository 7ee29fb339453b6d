from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from gameplatform.accounts.api_keys import find_key
from gameplatform.accounts.models import ApiKey, Game, User
from gameplatform.core import clock
from rounds import scoring
from rounds.export import csv_lines
from rounds.models import Contest, GameAccess, LeaderboardEntry, Round

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def contest(ada, bob, actor):
    """A duel between ada (10) and bob (20)."""
    for signed_in, score in ((ada, 10), (bob, 20)):
        scoring.create_round(
            actor=actor(signed_in),
            game_user_id=signed_in.user.pk,
            multiplayer=True,
            multiplayer_id=55,
            values={"game_type": "=duel", "score": Decimal(score)},
            now=clock.now(),
        )
    return Contest.objects.get()


def act(client, model, action, *objects):
    chosen = {"action": action, "_selected_action": [each.pk for each in objects]}
    return client.post(reverse(f"admin:rounds_{model}_changelist"), chosen, follow=True)


@pytest.mark.parametrize("model", ["gameaccess", "contest", "round", "leaderboard", "leaderboardentry"])
def test_every_list_opens(office, contest, model):
    assert office.get(reverse(f"admin:rounds_{model}_changelist")).status_code == 200


def test_players_are_shown_without_their_password(office, ada):
    listed = office.get(reverse("admin:accounts_gameuser_changelist"), {"q": "ad"})
    shown = office.get(reverse("admin:accounts_gameuser_change", args=[ada.user.pk]))

    assert "ada" in listed.content.decode()
    assert shown.status_code == 200
    assert ada.user.password not in shown.content.decode()


def test_a_service_key_is_shown_once_and_works(office, arcade):
    page = act(office, "gameaccess", "new_service_key", arcade).content.decode()

    text = page.split("service-key-token <code>")[1].split("</code>")[0]
    found = find_key(text=text, scope="rounds", now=clock.now())
    assert found is not None
    assert (found.client.name, found.client.game) == ("ARCADE server", arcade.game)
    assert text not in office.get(reverse("admin:rounds_gameaccess_changelist")).content.decode()


def test_a_third_live_service_key_is_refused(office, arcade):
    for _ in range(2):
        act(office, "gameaccess", "new_service_key", arcade)

    page = act(office, "gameaccess", "new_service_key", arcade).content.decode()

    assert "has two live keys already" in page
    assert ApiKey.objects.count() == 2


def test_a_game_gets_access_by_the_form_and_a_new_token_by_the_button(office):
    game = Game.objects.create(name="Fresh", symbol="FRESH")
    inline = {"variables-TOTAL_FORMS": "0", "variables-INITIAL_FORMS": "0"}

    office.post(reverse("admin:rounds_gameaccess_add"), {"game": game.pk, "description": "New", **inline})
    made = GameAccess.objects.get()
    page = act(office, "gameaccess", "renew_token", made).content.decode()
    renewed = GameAccess.objects.get()

    assert (made.game, made.description, len(made.token)) == (game, "New", 32)
    assert renewed.token != made.token
    assert renewed.token in page


def test_a_contests_ranking_page_shows_who_stands_where(office, contest):
    page = office.get(reverse("admin:rounds_contest_ranking", args=[contest.pk])).content.decode()

    assert "2 of 2 rounds" in page
    assert page.index("bob") < page.index("ada")
    assert office.get(reverse("admin:rounds_contest_ranking", args=[contest.pk + 1])).status_code == 404


def test_rounds_and_contests_are_exported_as_csv(office, contest):
    rounds = act(office, "round", "export_csv", *Round.objects.all())
    contests = act(office, "contest", "export_csv", contest)

    lines = b"".join(rounds.streaming_content).decode().splitlines()
    assert rounds["Content-Disposition"] == 'attachment; filename="rounds.csv"'
    assert lines[0].startswith("id,game__name,contest__multiplayer_id,game_user_id,game_user__username")
    # A game type that a spreadsheet would run is text.
    assert [line.split(",")[4:7] for line in lines[1:]] == [["ada", "False", "'=duel"], ["bob", "False", "'=duel"]]
    assert b"".join(contests.streaming_content).decode().splitlines()[1].split(",")[1:6] == [
        "Arcade",
        "55",
        "api",
        "desc",
        "2",
    ]


def test_a_negative_score_is_exported_as_a_number():
    moment = datetime(2026, 6, 1, tzinfo=UTC)

    assert list(csv_lines(["a", "b", "c"], [(Decimal(-5), "-5", moment)])) == [
        "a,b,c\r\n",
        "-5,'-5,2026-06-01T00:00:00+00:00\r\n",
    ]


def test_results_cannot_be_written_here(office, contest):
    row = Round.objects.first()
    before = list(Round.objects.values())

    statuses = [
        office.post(reverse("admin:rounds_round_change", args=[row.pk]), {"score": "1"}).status_code,
        office.post(reverse("admin:rounds_round_delete", args=[row.pk]), {"post": "yes"}).status_code,
        office.post(reverse("admin:rounds_round_add"), {}).status_code,
        office.post(reverse("admin:rounds_contest_delete", args=[contest.pk]), {"post": "yes"}).status_code,
    ]

    assert statuses == [403] * 4
    assert list(Round.objects.values()) == before


def test_staff_without_the_rights_sees_and_does_nothing(client, contest, arcade):
    client.force_login(User.objects.create_user("clerk", password="the clerk's", is_staff=True))

    assert client.get(reverse("admin:rounds_contest_ranking", args=[contest.pk])).status_code == 403
    assert act(client, "gameaccess", "new_service_key", arcade).status_code == 403
    assert not ApiKey.objects.exists()
    assert not LeaderboardEntry.objects.exists()
