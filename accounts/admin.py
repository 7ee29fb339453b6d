"""Users, games and API clients in the back-office. Users are switched off, never deleted: their payments stay."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts import api_keys, freezing, rights, second_factor
from accounts.models import ApiClient, ApiKey, Game, RightsRequest, User
from backoffice.acts import Act, ReasonForm, RotationForm, ShownOnce
from backoffice.admin import PlatformAdmin, ReadOnlyAdmin, permission_label
from backoffice.panels import Cell, Panel, Table
from backoffice.searching import as_number
from core.db import clock

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")

admin.site.unregister(Group)
# The register of refresh tokens is machinery, changed by signing in and out only.
admin.site.unregister(OutstandingToken)
admin.site.unregister(BlacklistedToken)


class ResetAuthenticator(Act):
    slug = "reset-authenticator"
    title = gettext_lazy("Reset authenticator")
    icon = "phonelink_erase"
    is_dangerous = True
    needs_fresh_login = True

    def explanation(self, obj: User) -> str:
        return _(
            "%(username)s lost the phone and the recovery codes: both stop working, and the next login takes the"
            " password alone. Make sure that it is really this person who asks."
        ) % {"username": obj.username}

    def is_allowed(self, request: HttpRequest, obj: User) -> bool:
        return second_factor.may_reset(actor=request.user, user=obj)

    def is_possible(self, obj: User) -> bool:
        return second_factor.authenticator_of(obj) is not None

    def run(self, *, actor: Any, obj: User, data: dict[str, Any], now: datetime) -> str:
        second_factor.reset(user=obj, actor=actor, reason=data["reason"], now=now)
        return _("%(username)s signs in with the password alone now.") % {"username": obj.username}


class FreezeUser(Act):
    slug = "freeze"
    permission = freezing.FREEZE
    title = gettext_lazy("Freeze")
    icon = "ac_unit"
    is_dangerous = True

    def explanation(self, obj: User) -> str:
        return _(
            "%(username)s is signed out everywhere within seconds and cannot sign in, play, chat or pay until"
            " staff unfreeze the account. Its tokens stay where they are, and sessions it has paid for are played"
            " to their end. Rooms of a master go on: pause them on their own pages."
        ) % {"username": obj.username}

    def is_allowed(self, request: HttpRequest, obj: User) -> bool:
        return super().is_allowed(request, obj) and freezing.is_in_reach(actor=request.user, user=obj)

    def is_possible(self, obj: User) -> bool:
        return obj.is_active

    def run(self, *, actor: Any, obj: User, data: dict[str, Any], now: datetime) -> str:
        done = freezing.freeze_user(user_id=obj.pk, actor=actor, reason=data["reason"], now=now)
        said = _("%(username)s is frozen.") if done else _("%(username)s was frozen already.")
        return said % {"username": obj.username}


class UnfreezeUser(FreezeUser):
    slug = "unfreeze"
    title = gettext_lazy("Unfreeze")
    icon = "sunny"
    is_dangerous = False

    def explanation(self, obj: User) -> str:
        return _("%(username)s can sign in again, with the password as it was.") % {"username": obj.username}

    def is_possible(self, obj: User) -> bool:
        return not obj.is_active

    def run(self, *, actor: Any, obj: User, data: dict[str, Any], now: datetime) -> str:
        done = freezing.unfreeze_user(user_id=obj.pk, actor=actor, reason=data["reason"], now=now)
        said = _("%(username)s can sign in again.") if done else _("%(username)s was not frozen.")
        return said % {"username": obj.username}


class RightsForm(ReasonForm):
    is_staff = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget, label=gettext_lazy("Staff status"))
    is_superuser = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget, label=gettext_lazy("Superuser status")
    )
    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label=gettext_lazy("Groups"),
    )
    field_order = ("is_staff", "is_superuser", "groups", "reason")

    def starting_values(self) -> dict[str, Any]:
        if self.obj is None:
            return {}
        return {
            "is_staff": self.obj.is_staff,
            "is_superuser": self.obj.is_superuser,
            "groups": list(self.obj.groups.all()),
        }


class ChangeRights(Act):
    slug = "rights"
    permission = rights.ASK
    title = gettext_lazy("Change rights")
    icon = "admin_panel_settings"
    is_dangerous = True
    needs_fresh_login = True
    form = RightsForm

    def explanation(self, obj: User) -> str:
        return _(
            "What %(username)s may do here. More rights wait until another superuser approves them; rights that are"
            " only taken away end at once."
        ) % {"username": obj.username}

    def run(self, *, actor: Any, obj: User, data: dict[str, Any], now: datetime) -> str:
        wanted = rights.rights(
            is_staff=data["is_staff"],
            is_superuser=data["is_superuser"],
            groups=[group.name for group in data["groups"]],
        )
        asked = rights.change_rights(user_id=obj.pk, wanted=wanted, actor=actor, reason=data["reason"], now=now)
        if asked is None:
            return _("%(username)s has these rights now.") % {"username": obj.username}
        return _("The request waits under “Rights requests” for another superuser. No right was given yet.")


@admin.register(User)
class PlatformUserAdmin(UserAdmin, PlatformAdmin):  # type: ignore[misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "fullname", "email", "is_master", "is_staff", "is_active", "date_joined")
    list_filter = ("is_master", "is_staff", "is_active")
    search_fields = ("username",)
    search_help_text = gettext_lazy("The beginning of a user name, an email or wallet address, or an id")
    ordering = ("-id",)
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Profile"), {"fields": ("fullname", "email", "avatar", "wallet_address")}),
        (gettext_lazy("Roles"), {"fields": ("is_active", "is_master", *RIGHTS)}),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)
    acts = (FreezeUser(), UnfreezeUser(), ResetAuthenticator(), ChangeRights())
    export_columns = (
        ("id", lambda user: user.pk),
        ("username", lambda user: user.username),
        ("full name", lambda user: user.fullname),
        ("email", lambda user: user.email),
        ("master", lambda user: user.is_master),
        ("staff", lambda user: user.is_staff),
        ("active", lambda user: user.is_active),
        ("joined", lambda user: user.date_joined),
    )

    def search_exactly(self, term: str) -> Q:
        found = Q(username__istartswith=term) | Q(email__iexact=term) | Q(wallet_address=term)
        number = as_number(term)
        return found if number is None else found | Q(pk=number)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        parts = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return parts
        # How a password is stored does not concern readers.
        return ((None, {"fields": ("username",)}), *parts[1:])

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        # Acts freeze a user and change its rights: they ask why, and rights take two superusers.
        return ("last_login", "date_joined", "is_active", *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Setting a colleague's password or email is as good as being that colleague.
        is_out_of_reach = obj is not None and (obj.is_superuser or (obj.is_staff and obj.pk != request.user.pk))
        return super().has_change_permission(request, obj) and (request.user.is_superuser or not is_out_of_reach)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        # The admin has no transaction here; the new password and its entry in the trail belong together.
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)


@admin.register(Game)
class GameAdmin(PlatformAdmin):
    list_display = ("name", "symbol", "status", "result_mode", "score_order", "created_at")
    list_filter = ("status", "result_mode")
    search_fields = ("name", "symbol")
    ordering = ("id",)
    readonly_fields = ("created_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Game | None = None) -> bool:
        return False


@admin.register(Group)
class PlatformGroupAdmin(GroupAdmin, PlatformAdmin):  # type: ignore[misc]
    # Another permission for a group is another right for its members; `setup_roles` gives the groups theirs.
    fields = ("name", "held_permissions")
    readonly_fields = ("held_permissions",)

    @admin.display(description=Group._meta.get_field("permissions").verbose_name)
    def held_permissions(self, obj: Group) -> str:
        """The permissions in the user's language."""
        if obj.pk is None:
            return ""
        return ", ".join(permission_label(held) for held in obj.permissions.select_related("content_type"))


class ApproveRights(Act):
    slug = "approve"
    permission = rights.DECIDE
    title = gettext_lazy("Approve")
    icon = "check"
    is_dangerous = True
    needs_fresh_login = True

    def explanation(self, obj: RightsRequest) -> str:
        return _("%(username)s gets the rights that %(requester)s asked for (“%(reason)s”), at once.") % {
            "username": obj.user.username,
            "requester": obj.requester.username,
            "reason": obj.reason,
        }

    def is_possible(self, obj: RightsRequest) -> bool:
        return obj.state == RightsRequest.State.REQUESTED

    def run(self, *, actor: Any, obj: RightsRequest, data: dict[str, Any], now: datetime) -> str:
        rights.approve_rights(request_id=obj.pk, actor=actor, reason=data["reason"], now=now)
        return _("%(username)s has these rights now.") % {"username": obj.user.username}


class RejectRights(ApproveRights):
    slug = "reject"
    title = gettext_lazy("Reject")
    icon = "close"

    def explanation(self, obj: RightsRequest) -> str:
        return _("%(username)s does not get these rights.") % {"username": obj.user.username}

    def run(self, *, actor: Any, obj: RightsRequest, data: dict[str, Any], now: datetime) -> str:
        rights.reject_rights(request_id=obj.pk, actor=actor, reason=data["reason"], now=now)
        return _("Rejected. No right was given.")


@admin.register(RightsRequest)
class RightsRequestAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user", "reason", "requester", "state", "decider")
    list_filter = ("state",)
    list_select_related = ("user", "requester", "decider")
    ordering = ("-id",)
    fields = (
        "created_at",
        "user",
        "is_staff",
        "is_superuser",
        "groups",
        "reason",
        "requester",
        "state",
        "decider",
        "decided_at",
        "decision_reason",
    )
    readonly_fields = fields
    acts = (ApproveRights(), RejectRights())


class ScopesForm(ReasonForm):
    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget, label=gettext_lazy("Scopes")
    )
    expires_in_days = forms.TypedChoiceField(
        label=gettext_lazy("Expires"),
        choices=[
            ("", gettext_lazy("Never")),
            ("30", gettext_lazy("In 30 days")),
            ("90", gettext_lazy("In 90 days")),
            ("365", gettext_lazy("In a year")),
        ],
        coerce=int,
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("scopes", "expires_in_days", "reason")


class IssueKey(Act):
    slug = "issue-key"
    permission = api_keys.ISSUE
    needs_fresh_login = True
    title = gettext_lazy("Issue a key")
    icon = "key"
    form = ScopesForm
    advice = {
        "TOO_MANY_KEYS": gettext_lazy(
            "Revoke the key that is no longer used, on the client's page, then issue the new one."
        )
    }

    def explanation(self, obj: ApiClient) -> str:
        return _("%(name)s gets a further key. It and its signing secret are shown once, on the next page.") % {
            "name": obj.name
        }

    def run(self, *, actor: Any, obj: ApiClient, data: dict[str, Any], now: datetime) -> ShownOnce:
        days = data["expires_in_days"]
        issued = api_keys.issue_key(
            client=obj,
            scopes=data["scopes"],
            now=now,
            expires_at=None if days is None else now + timedelta(days=days),
            actor=actor,
            reason=data["reason"],
        )
        return _shown(issued)


class RotateKey(Act):
    slug = "rotate"
    permission = api_keys.ISSUE
    needs_fresh_login = True
    title = gettext_lazy("Rotate")
    icon = "autorenew"
    form = RotationForm
    advice = {"TOO_MANY_KEYS": gettext_lazy("Two keys live already: revoke the one that is not used any more.")}

    def explanation(self, obj: ApiKey) -> str:
        return _(
            "%(name)s gets a new key with the same scopes, shown once, on the next page. The old one keeps working"
            " for as long as you say, so that its callers can change without an outage."
        ) % {"name": obj.client.name}

    def is_possible(self, obj: ApiKey) -> bool:
        return obj.revoked_at is None

    def run(self, *, actor: Any, obj: ApiKey, data: dict[str, Any], now: datetime) -> ShownOnce:
        ends = now + timedelta(hours=data["old_lives_hours"])
        return _shown(api_keys.rotate_key(key=obj, old_ends_at=ends, actor=actor, reason=data["reason"], now=now))


class RevokeKey(Act):
    slug = "revoke"
    permission = api_keys.REVOKE
    title = gettext_lazy("Revoke")
    icon = "key_off"
    is_dangerous = True

    def explanation(self, obj: ApiKey) -> str:
        return _("The key %(prefix)s of %(name)s stops working at once. This cannot be undone.") % {
            "prefix": obj.prefix,
            "name": obj.client.name,
        }

    def is_possible(self, obj: ApiKey) -> bool:
        return obj.revoked_at is None

    def run(self, *, actor: Any, obj: ApiKey, data: dict[str, Any], now: datetime) -> str:
        api_keys.revoke_key(key=obj, now=now, actor=actor, reason=data["reason"])
        return _("The key %(prefix)s is revoked.") % {"prefix": obj.prefix}


class RevokeAllKeys(Act):
    slug = "revoke-all"
    permission = api_keys.REVOKE
    title = gettext_lazy("Revoke all keys")
    icon = "key_off"
    is_dangerous = True

    def explanation(self, obj: ApiClient) -> str:
        return _("Every key of %(name)s stops working and its sockets close, at once. This cannot be undone.") % {
            "name": obj.name
        }

    def run(self, *, actor: Any, obj: ApiClient, data: dict[str, Any], now: datetime) -> str:
        count = api_keys.revoke_all_keys(client=obj, now=now, actor=actor, reason=data["reason"])
        return _("%(count)s keys of %(name)s are revoked.") % {"count": count, "name": obj.name}


def _shown(issued: api_keys.IssuedKey) -> ShownOnce:
    return ShownOnce(
        done=_("%(name)s has a new key: %(prefix)s.") % {"name": issued.key.client.name, "prefix": issued.key.prefix},
        secrets=[(_("Key"), issued.text), (_("Signing secret"), issued.signing_secret)],
    )


def key_state(key: ApiKey, now: datetime) -> Cell:
    """Whether the key works."""
    if key.revoked_at is not None:
        return Cell(_("revoked"), tone="plain")
    if key.expires_at is not None and key.expires_at <= now:
        return Cell(_("expired"), tone="plain")
    return Cell(_("live"), tone="success")


class KeysPanel(Panel):
    title = gettext_lazy("Keys")

    def is_shown(self, request: HttpRequest, obj: ApiClient) -> bool:
        return request.user.has_perm("accounts.view_apikey")

    def table(self, request: HttpRequest, obj: ApiClient) -> Table:
        now = clock.now()
        rows = [
            [
                Cell(key.prefix, link=reverse("admin:accounts_apikey_change", args=[key.pk])),
                key_state(key, now),
                ", ".join(key.scopes),
                key.created_at,
                key.expires_at,
                key.last_used_at,
            ]
            for key in obj.keys.order_by("-id")[:50]
        ]
        headings = (_("Key"), _("State"), _("Scopes"), _("Issued"), _("Expires"), _("Last used"))
        return Table(headings=headings, rows=rows, empty=_("No key yet: issue one."))


@admin.register(ApiClient)
class ApiClientAdmin(PlatformAdmin):
    list_display = ("name", "public_id", "game", "is_active", "created_at")
    list_filter = ("is_active",)
    list_select_related = ("game",)
    search_fields = ("name", "=public_id")
    ordering = ("name",)
    fields = ("name", "public_id", "game", "is_active", "created_at")
    readonly_fields = ("public_id", "created_at")
    acts = (IssueKey(), RevokeAllKeys())
    panels = (KeysPanel(),)

    def get_fields(self, request: HttpRequest, obj: ApiClient | None = None) -> tuple[str, ...]:
        # The database gives the others when the row is written.
        return self.fields if obj is not None else ("name", "game", "is_active")

    def has_delete_permission(self, request: HttpRequest, obj: ApiClient | None = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("prefix", "client", "state", "scopes", "created_at", "expires_at", "last_used_at")
    list_select_related = ("client",)
    search_fields = ("prefix", "client__name")
    ordering = ("-id",)
    fields = ("client", "prefix", "state", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
    readonly_fields = fields
    acts = (RotateKey(), RevokeKey())

    @admin.display(description=gettext_lazy("state"))
    def state(self, key: ApiKey) -> str:
        return str(key_state(key, clock.now()).text)
