import re
from decimal import Decimal

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.api_keys import find_key
from accounts.models import ApiKey, Game, User
from core.db import clock
from core.models import AuditEntry
from rounds import scoring
from rounds.models import Contest, GameAccess, GameVariable, Leaderboard, LeaderboardEntry, Round

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def contest(ada, bob, actor):
    """A duel between ada (10) and bob (20)."""
    for signed_in, score in ((ada, -10), (bob, 20)):
        scoring.create_round(
            actor=actor(signed_in),
            game_user_id=signed_in.user.pk,
            multiplayer=True,
            multiplayer_id=55,
            values={"game_type": "=duel", "score": Decimal(score)},
            now=clock.now(),
        )
    return Contest.objects.get()


def press(client, thing, slug, **form):
    """The button of one object's page, with a reason."""
    url = reverse(f"admin:rounds_{thing._meta.model_name}_{slug}", args=[thing.pk])
    return client.post(url, {"reason": "a new server", "request_key": "1", **form})


@pytest.mark.parametrize("model", ["gameaccess", "contest", "round", "leaderboard", "leaderboardentry"])
def test_every_list_opens(office, contest, model):
    assert office.get(reverse(f"admin:rounds_{model}_changelist")).status_code == 200


def test_players_are_shown_without_their_password(office, ada):
    listed = office.get(reverse("admin:accounts_gameuser_changelist"), {"q": "ad"})
    shown = office.get(reverse("admin:accounts_gameuser_change", args=[ada.user.pk]))

    assert "ada" in listed.content.decode()
    assert shown.status_code == 200
    assert ada.user.password not in shown.content.decode()


def everything_kept(client):
    """What the answers left behind: cookies, sessions and the trail, as one text."""
    cookies = " ".join(cookie.value for cookie in client.cookies.values())
    sessions = " ".join(str(session.get_decoded()) for session in Session.objects.all())
    return f"{cookies} {sessions} {list(AuditEntry.objects.values())}"


def test_a_service_key_is_shown_once_and_works(office, arcade, staff, caplog):
    page = press(office, arcade, "service-key")

    text = re.search(r"gp_[0-9a-f]{12}_[\w-]{43}", page.content.decode())[0]
    found = find_key(text=text, scope="rounds", now=clock.now())
    assert (page.status_code, found is not None) == (200, True)
    assert (found.client.name, found.client.game) == ("ARCADE server", arcade.game)
    secret = text.split("_", 2)[2]
    for url in (
        reverse("admin:rounds_gameaccess_changelist"),
        reverse("admin:rounds_gameaccess_change", args=[arcade.pk]),
    ):
        assert secret not in office.get(url).content.decode()
    assert secret not in everything_kept(office)
    assert secret not in caplog.text
    entry = AuditEntry.objects.get(action="API key issued")
    assert (entry.actor, entry.reason, entry.object_id) == (staff, "a new server", str(found.pk))


def test_a_third_live_service_key_is_refused(office, arcade):
    for _ in range(2):
        press(office, arcade, "service-key")

    page = press(office, arcade, "service-key")

    assert page.status_code == 409
    assert "has two live keys already" in page.content.decode()
    assert ApiKey.objects.count() == 2


def test_a_game_gets_access_by_the_form_and_a_new_token_by_the_button(office, staff):
    game = Game.objects.create(name="Fresh", symbol="FRESH")
    inline = {"variables-TOTAL_FORMS": "0", "variables-INITIAL_FORMS": "0"}

    office.post(reverse("admin:rounds_gameaccess_add"), {"game": game.pk, "description": "New", **inline})
    made = GameAccess.objects.get()
    page = press(office, made, "renew-token").content.decode()
    renewed = GameAccess.objects.get()

    assert (made.game, made.description, len(made.token)) == (game, "New", 32)
    assert renewed.token != made.token
    assert renewed.token in page
    assert made.token not in everything_kept(office)
    assert renewed.token not in everything_kept(office)
    entries = list(AuditEntry.objects.order_by("id").values_list("action", "actor", "reason"))
    assert entries == [
        ("game access added", staff.pk, ""),
        ("game token renewed", staff.pk, "a new server"),
    ]


def test_a_variable_that_is_changed_is_in_the_trail_before_and_after(office, arcade):
    row = GameVariable.objects.create(access=arcade, key="speed", value="1")
    form = {
        "description": arcade.description,
        "variables-TOTAL_FORMS": "2",
        "variables-INITIAL_FORMS": "1",
        "variables-0-id": row.pk,
        "variables-0-access": arcade.pk,
        "variables-0-key": "speed",
        "variables-0-value": "2",
        "variables-1-access": arcade.pk,
        "variables-1-key": "gravity",
        "variables-1-value": "9.8",
    }
    answer = office.post(reverse("admin:rounds_gameaccess_change", args=[arcade.pk]), form)
    assert answer.status_code == 302
    entry = AuditEntry.objects.get(action="game access changed")
    assert entry.before == {"game variables": [{"key": "speed", "value": "1"}]}
    assert entry.after == {
        "game variables": [{"key": "speed", "value": "2"}, {"key": "gravity", "value": "9.8"}],
    }


def test_a_contests_page_shows_who_stands_where(office, contest):
    page = office.get(reverse("admin:rounds_contest_change", args=[contest.pk])).content.decode()

    assert "2 of 2 rounds" in page
    page = page.split("2 of 2 rounds")[1]
    assert page.index("bob") < page.index("ada")


def test_rounds_and_contests_are_exported_as_csv(office, contest):
    rounds = office.get(reverse("admin:rounds_round_export"))
    contests = office.get(reverse("admin:rounds_contest_export"))

    lines = b"".join(rounds.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("id,game,multiplayer id,player id,player,authoritative,game type,score")
    # A game type that a spreadsheet would run is text, a negative score a number.
    assert [line.split(",")[4:8] for line in lines[1:]] == [
        ["bob", "False", "'=duel", "20"],
        ["ada", "False", "'=duel", "-10"],
    ]
    assert b"".join(contests.streaming_content).decode().splitlines()[1].split(",")[1:6] == [
        "Arcade",
        "55",
        "api",
        "desc",
        "2",
    ]


def test_an_entry_is_taken_off_its_board_with_a_reason(office, staff, ada):
    board = Leaderboard.objects.create(game=ada.user.game, name="Top", score_order="desc", created_at=clock.now())
    entry = LeaderboardEntry.objects.create(
        leaderboard=board, game_user=ada.user, score=Decimal(7), standing=Decimal(-7), created_at=clock.now()
    )
    assert press(office, entry, "remove", reason="").status_code == 400
    assert LeaderboardEntry.objects.count() == 1
    assert press(office, entry, "remove", reason="a cheat").status_code == 302
    assert LeaderboardEntry.objects.count() == 0
    kept = AuditEntry.objects.get()
    assert (kept.actor, kept.action, kept.reason) == (staff, "leaderboard entry removed", "a cheat")
    assert (kept.before["score"], kept.before["game_user"]) == ("7", ada.user.pk)


@pytest.mark.parametrize("model", ["contest", "round"])
def test_the_lists_ask_the_same_few_questions_for_many(office, contest, ada, actor, model):
    url = reverse(f"admin:rounds_{model}_changelist")
    with CaptureQueriesContext(connection) as few:
        office.get(url)
    for number in range(100, 110):
        scoring.create_round(
            actor=actor(ada),
            game_user_id=ada.user.pk,
            multiplayer=True,
            multiplayer_id=number,
            values={"game_type": "duel", "score": Decimal(number)},
            now=clock.now(),
        )
    with CaptureQueriesContext(connection) as many:
        office.get(url)
    assert len(many) == len(few) <= 9


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

    assert client.get(reverse("admin:rounds_contest_change", args=[contest.pk])).status_code == 403
    assert press(client, arcade, "service-key").status_code == 403
    assert press(client, arcade, "renew-token").status_code == 403
    assert not ApiKey.objects.exists()
    assert not LeaderboardEntry.objects.exists()
