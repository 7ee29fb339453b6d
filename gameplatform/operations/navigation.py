"""The menu of the back-office: the pages a user may see, grouped; a model without a place goes last."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# Group → (model, icon). What is not named here shows under "More".
MENU: dict[str, dict[str, str]] = {
    gettext_noop("Play"): {
        "rooms.room": "meeting_room",
        "rooms.session": "timer",
        "rooms.participant": "groups",
        "accounts.game": "casino",
    },
    gettext_noop("Chat"): {
        "chat.report": "flag",
        "chat.conversation": "forum",
        "chat.message": "chat",
        "chat.member": "group",
        "chat.sanction": "gavel",
        "chat.moderationact": "policy",
    },
    gettext_noop("Pots"): {
        "payments.pot": "savings",
        "payments.job": "work_history",
        "payments.playerprofile": "badge",
        "payments.potgame": "stadia_controller",
    },
    gettext_noop("Rounds"): {
        "rounds.contest": "trophy",
        "rounds.round": "scoreboard",
        "rounds.leaderboard": "leaderboard",
        "rounds.leaderboardentry": "format_list_numbered",
        "rounds.gameaccess": "vpn_key",
        "accounts.gameuser": "sports_esports",
    },
    gettext_noop("Money"): {
        "payments.account": "account_balance_wallet",
        "payments.transfer": "swap_horiz",
        "payments.adjustment": "tune",
        "payments.adjustmentrequest": "approval",
        "payments.token": "toll",
    },
    gettext_noop("Webhooks"): {
        "webhooks.endpoint": "webhook",
        "webhooks.delivery": "outbox",
        "webhooks.event": "event_note",
    },
    gettext_noop("People and access"): {
        "accounts.user": "person",
        "auth.group": "admin_panel_settings",
        "accounts.rightsrequest": "verified_user",
        "accounts.apiclient": "dns",
        "accounts.apikey": "key",
        "core.auditentry": "history",
        "backoffice.export": "download",
        "axes.accesslog": "login",
        "axes.accessattempt": "lock_person",
    },
}
OTHER = gettext_noop("More")
OTHER_ICON = "database"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The theme's sidebar for this user."""
    visible = {
        model["model"]._meta.label_lower: model
        for app in admin.site.get_app_list(request)
        for model in app["models"]
        if model["admin_url"]
    }
    dashboard = {"title": _("Today"), "icon": "monitoring", "link": reverse_lazy("admin:index")}
    groups: list[dict[str, Any]] = [{"title": "", "items": [dashboard]}]
    for title, models in MENU.items():
        items = [_item(visible.pop(label), icon) for label, icon in models.items() if label in visible]
        if items:
            groups.append({"title": _(title), "separator": True, "items": items})
    if visible:
        rest = [_item(model, OTHER_ICON) for model in visible.values()]
        groups.append({"title": _(OTHER), "separator": True, "collapsible": True, "items": rest})
    return groups


def _item(model: dict[str, Any], icon: str) -> dict[str, Any]:
    return {"title": str(model["name"]), "icon": icon, "link": model["admin_url"]}
