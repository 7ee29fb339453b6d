"""Staff see pots, jobs and players, change none of them, and can try a failed job again."""

import pytest
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry
from payments.models import Account, Job, Pot

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


def retry(client, job, reason="the wallet was filled"):
    return client.post(reverse("admin:payments_job_retry", args=[job.pk]), {"reason": reason, "request_key": "1"})


def test_a_failed_job_is_tried_again_by_a_post_with_a_reason(office, failed_job, staff):
    assert retry(office, failed_job, reason="").status_code == 400
    failed_job.refresh_from_db()
    assert failed_job.status == "failed"
    assert retry(office, failed_job).status_code == 302
    failed_job.refresh_from_db()
    assert (failed_job.status, failed_job.retried_by) == ("pending", staff)
    entry = AuditEntry.objects.get(action="job retried")
    assert (entry.actor, entry.reason, entry.object_id) == (staff, "the wallet was filled", str(failed_job.pk))
    assert entry.before == {"status": "failed", "error_code": "INSUFFICIENT_FUNDS", "attempts": 1}
    assert entry.after == {"status": "pending", "error_code": "", "attempts": 0}


def test_a_job_that_did_not_fail_is_refused_and_nothing_is_written(office, failed_job):
    retry(office, failed_job)
    assert retry(office, failed_job).status_code == 409
    assert AuditEntry.objects.filter(action="job retried").count() == 1


def test_staff_without_that_right_cannot(failed_job, player):
    player.is_staff = True
    player.save()
    client = Client()
    client.force_login(player)
    assert retry(client, failed_job).status_code == 403
    failed_job.refresh_from_db()
    assert failed_job.status == "failed"


def test_a_pots_page_shows_what_it_holds_and_who_is_in_it(office, failed_job):
    pot = Pot.objects.get()
    page = office.get(reverse("admin:payments_pot_change", args=[pot.pk])).content.decode()
    assert "ada-lake" in page
    assert "Holds" in page


def test_the_list_of_jobs_takes_the_same_few_statements_for_many(
    office, failed_job, django_assert_max_num_queries, server
):
    for _ in range(30):
        server.post("/game/create", {"sync": True})
    with django_assert_max_num_queries(9):
        office.get(reverse("admin:payments_job_changelist"))
