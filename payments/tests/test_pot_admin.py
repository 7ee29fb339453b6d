"""Staff see pots, jobs and players, change none of them, and can try a failed job again."""

import pytest
from django.test import Client
from django.urls import reverse

from payments.models import Account, Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def failed_job(server, seated) -> Job:
    ada = seated("ada-lake")
    Account.objects.filter(owner=ada.profile.user).update(balance_minor=0)
    server.post("/game/create", {"sync": True})
    server.post("/game/join", {"roomId": "1", "sessionJwts": [ada.jwt], "sync": True})
    body = {"roomId": "1", "sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [1], "sync": True}
    assert server.post("/game/pay", body)["status"] == "FAILED"
    return Job.objects.get(status="failed")


@pytest.mark.parametrize("model", ["pot", "job", "potgame", "playerprofile"])
def test_every_list_and_every_page_opens(office, failed_job, model):
    page = office.get(reverse(f"admin:payments_{model}_changelist"))
    assert page.status_code == 200
    row = page.context["cl"].result_list[0]
    assert office.get(reverse(f"admin:payments_{model}_change", args=[row.pk])).status_code == 200


@pytest.mark.parametrize("model", ["pot", "job", "playerprofile"])
def test_nothing_can_be_added_or_changed_there(office, failed_job, model):
    assert office.get(reverse(f"admin:payments_{model}_add")).status_code == 403
    row = office.get(reverse(f"admin:payments_{model}_changelist")).context["cl"].result_list[0]
    assert office.post(reverse(f"admin:payments_{model}_change", args=[row.pk]), {}).status_code == 403
    assert office.post(reverse(f"admin:payments_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_no_secret_is_shown(office, failed_job, server):
    player = failed_job.arguments["seats"][0]["player_id"]
    page = office.get(reverse("admin:payments_playerprofile_change", args=[player])).content.decode()
    assert "otp_secret" not in page
    assert "ada-lake" in page


def test_a_failed_job_is_tried_again_by_a_post(office, failed_job, staff):
    chosen = {"action": "try_again", "_selected_action": [failed_job.pk]}
    assert office.post(reverse("admin:payments_job_changelist"), chosen).status_code == 302
    failed_job.refresh_from_db()
    assert (failed_job.status, failed_job.retried_by) == ("pending", staff)


def test_staff_without_that_right_cannot(failed_job, player):
    player.is_staff = True
    player.save()
    client = Client()
    client.force_login(player)
    chosen = {"action": "try_again", "_selected_action": [failed_job.pk]}
    assert client.post(reverse("admin:payments_job_changelist"), chosen).status_code == 403
    failed_job.refresh_from_db()
    assert failed_job.status == "failed"


def test_the_list_of_jobs_takes_the_same_few_statements_for_many(
    office, failed_job, django_assert_max_num_queries, server
):
    for _ in range(30):
        server.post("/game/create", {"sync": True})
    with django_assert_max_num_queries(9):
        office.get(reverse("admin:payments_job_changelist"))
