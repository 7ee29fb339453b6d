from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from gameplatform.operations.groups import GROUPS


@pytest.fixture
def run(db):
    def command(*options: str) -> str:
        out = StringIO()
        call_command("setup_roles", *options, stdout=out)
        return out.getvalue().splitlines()[-1]

    return command


def held(name: str) -> set[str]:
    rows = Permission.objects.filter(group__name=name).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def test_each_group_gets_its_permissions(run):
    count = sum(len(permissions) for permissions in GROUPS.values())
    assert run() == f"4 groups, {count} permissions given."
    assert {name: held(name) for name in GROUPS} == {name: set(wanted) for name, wanted in GROUPS.items()}


def test_second_run_changes_nothing(run):
    run()
    more = Permission.objects.get(content_type__app_label="accounts", codename="change_user")
    Group.objects.get(name="support").permissions.add(more)
    assert run() == "4 groups, 0 permissions given."
    assert "accounts.change_user" in held("support")


def test_what_was_taken_away_comes_back(run):
    run()
    Group.objects.get(name="finance").permissions.remove(
        Permission.objects.get(content_type__app_label="payments", codename="add_adjustment")
    )
    assert run("--dry-run") == "4 groups, 1 permissions would be given."
    assert "payments.add_adjustment" not in held("finance")
    assert run() == "4 groups, 1 permissions given."
    assert "payments.add_adjustment" in held("finance")


def test_support_can_change_nothing(run):
    run()
    assert all(permission.split(".")[1].startswith("view_") for permission in held("support"))
