"""The roles of staff, as groups with their permissions.

Master and superuser are no groups: they are marks on the user (``is_master``, ``is_superuser``). Everybody of a group
also needs the mark ``is_staff`` to enter.
"""

from collections.abc import Mapping

from django.contrib.auth.models import Group, Permission

from core.db.transactions import use_case

READ = (
    "rooms.view_room",
    "rooms.view_session",
    "rooms.view_participant",
    "accounts.view_user",
    "accounts.view_game",
    "payments.view_token",
    "payments.view_account",
    "payments.view_transfer",
    "payments.view_adjustment",
    "payments.view_adjustmentrequest",
    "payments.view_pot",
    "payments.view_job",
    "payments.view_playerprofile",
    "rounds.view_contest",
    "rounds.view_round",
    "rounds.view_leaderboard",
    "rounds.view_leaderboardentry",
    "accounts.view_gameuser",
)

# Group → what it may do. The names are Django's: app, action and model.
GROUPS: Mapping[str, tuple[str, ...]] = {
    # Looks things up for players; changes nothing.
    "support": READ,
    # Creates and destroys tokens, decides on colleagues' requests, releases frozen tokens.
    "finance": (
        *READ,
        "payments.add_adjustment",
        "payments.change_adjustmentrequest",
        "payments.change_token",
        "core.view_auditentry",
    ),
    # Keeps the chat in order.
    "moderator": (
        "accounts.view_user",
        "chat.view_moderationact",
        *(
            f"chat.{action}_{model}"
            for model in ("conversation", "member", "message", "report", "sanction")
            for action in ("view", "change")
        ),
    ),
    # Runs rooms and sessions: edits, pauses, voids, retries, also jobs of pots; freezes users, takes cheats off
    # leaderboards; and who is told of it all by webhook.
    "operator": (
        *READ,
        "rooms.change_room",
        "rooms.change_session",
        "payments.change_job",
        "rounds.delete_leaderboardentry",
        "accounts.change_game",
        "accounts.freeze_user",
        "core.view_auditentry",
        "axes.view_accessattempt",
        "axes.view_accesslog",
        "webhooks.view_endpoint",
        "webhooks.add_endpoint",
        "webhooks.change_endpoint",
        "webhooks.view_delivery",
        "webhooks.change_delivery",
        "webhooks.view_event",
    ),
}


def missing_permissions() -> dict[str, list[str]]:
    """What each group still lacks, ``set_up_groups`` would give it."""
    lacks = {}
    for name, wanted in GROUPS.items():
        held = {
            f"{app}.{codename}"
            for app, codename in Permission.objects.filter(group__name=name).values_list(
                "content_type__app_label", "codename"
            )
        }
        if missing := [permission for permission in wanted if permission not in held]:
            lacks[name] = missing
    return lacks


@use_case
def set_up_groups() -> dict[str, list[str]]:
    """Make the groups and give them what they lack; answers what was given. Safe to repeat.

    What an administrator added to a group stays. Raises ``Permission.DoesNotExist`` before the migrations have run.
    """
    lacks = missing_permissions()
    for name in GROUPS:
        group, _ = Group.objects.get_or_create(name=name)
        for permission in lacks.get(name, []):
            app, codename = permission.split(".")
            group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return lacks
