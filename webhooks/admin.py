"""Webhooks in the back-office: endpoints with their acts, deliveries to look at and replay, events."""

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import roles
from accounts.models import ApiClient, User
from backoffice.acts import Act, ReasonForm, RotationForm, ShownOnce
from backoffice.admin import ReadOnlyAdmin
from backoffice.panels import Button, Cell, Panel, Table, kept_text
from webhooks import deliveries, endpoints, policies, sending
from webhooks.catalogue import GAME, MASTER, TENANT, EventType
from webhooks.models import NAME_LENGTH_MAX, URL_LENGTH_MAX, Delivery, Endpoint, Event

ROWS_SHOWN = 50
READ_CHAT = "chat.view_message"
STATE_TONES = {"pending": "info", "delivered": "success", "dead": "danger"}
OWNER_KINDS = {MASTER: gettext_lazy("master"), TENANT: gettext_lazy("tenant"), GAME: gettext_lazy("game")}


def error_text(error: str) -> str:
    """The last error of a delivery in the active language."""
    seconds = {"seconds": f"{sending.TIMEOUT_SECONDS:g}"}
    return _(sending.NO_ANSWER) % seconds if error == sending.NO_ANSWER % seconds else kept_text(error)


def reason_text(reason: str) -> str:
    """The reason an endpoint was disabled, in the active language."""
    days = {"days": deliveries.FAILING_MAX.days}
    if reason == deliveries.ALL_FAILED % days:
        return _(deliveries.ALL_FAILED) % days
    before_key = endpoints.BY_KEY % {"key": ""}
    if reason.startswith(before_key):
        return _(endpoints.BY_KEY) % {"key": reason.removeprefix(before_key)}
    return kept_text(reason)


class TermsForm(ReasonForm):
    """What an endpoint is to be."""

    name = forms.CharField(max_length=NAME_LENGTH_MAX, widget=UnfoldAdminTextInputWidget(), label=gettext_lazy("Name"))
    url = forms.CharField(
        label=gettext_lazy("URL"),
        max_length=URL_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "https://"}),
    )
    types = forms.MultipleChoiceField(
        label=gettext_lazy("Events"), choices=EventType.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    field_order: tuple[str, ...] = ("name", "url", "types", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = cast(forms.MultipleChoiceField, self.fields["types"])
        # The name that receivers know it by, before the words of the page.
        types.choices = [(value, f"{value}: {label}") for value, label in EventType.choices]

    def starting_values(self) -> dict[str, Any]:
        if self.obj is None:
            return {}
        return {"name": self.obj.name, "url": self.obj.url, "types": self.obj.types}


class CreateForm(TermsForm):
    client = forms.ModelChoiceField(
        ApiClient.objects.order_by("name"),
        label=gettext_lazy("API client"),
        required=False,
        empty_label="–",
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy(
            "A tenant or a game's server. With neither a client nor a master the endpoint is the platform's."
        ),
    )
    master = forms.ModelChoiceField(
        User.objects.filter(is_master=True).order_by("username"),
        required=False,
        empty_label="–",
        widget=UnfoldAdminSelectWidget,
        label=gettext_lazy("Master"),
    )
    field_order: tuple[str, ...] = ("name", "client", "master", "url", "types", "reason")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("client") and data.get("master"):
            self.add_error("master", _("An endpoint has one owner."))
        return data


class EndpointAct(Act):
    """An act of staff that may change endpoints."""

    permission = policies.CHANGE

    def is_possible(self, obj: Endpoint) -> bool:
        return obj.deleted_at is None


class CreateEndpoint(EndpointAct):
    slug = "add"
    permission = policies.ADD
    needs_fresh_login = True
    title = gettext_lazy("New webhook endpoint")
    icon = "add"
    form = CreateForm

    def explanation(self, obj: None) -> str:
        return _("Its owner's events are sent there from now on. What signs them is shown once, on the next page.")

    def run(self, *, actor: Any, obj: None, data: dict[str, Any], now: datetime) -> ShownOnce:
        issued = endpoints.create(
            name=data["name"],
            url=data["url"],
            types=data["types"],
            client=data["client"],
            user=data["master"],
            actor=actor,
            reason=data["reason"],
            now=now,
        )
        return _shown(_("%(name)s listens.") % {"name": issued.endpoint.name}, issued)


class EditEndpoint(EndpointAct):
    slug = "edit"
    needs_fresh_login = True
    title = gettext_lazy("Edit")
    icon = "edit"
    form = TermsForm

    def explanation(self, obj: Endpoint) -> str:
        return _("What is on its way to %(name)s goes to the new URL, too.") % {"name": obj.name}

    def run(self, *, actor: Any, obj: Endpoint, data: dict[str, Any], now: datetime) -> str:
        terms = endpoints.Terms(name=data["name"], url=data["url"], types=data["types"])
        endpoints.change(**_common(obj, actor, data, now), terms=terms)
        return _("%(name)s is changed.") % {"name": data["name"]}


class RotateSecret(EndpointAct):
    slug = "rotate"
    needs_fresh_login = True
    title = gettext_lazy("Rotate the secret")
    icon = "autorenew"
    form = RotationForm

    def explanation(self, obj: Endpoint) -> str:
        return _(
            "%(name)s gets a new secret, shown once, on the next page. The old one signs beside it for as long as"
            " you say, so that the receiver can change without losing anything."
        ) % {"name": obj.name}

    def run(self, *, actor: Any, obj: Endpoint, data: dict[str, Any], now: datetime) -> ShownOnce:
        ends = now + timedelta(hours=data["old_lives_hours"])
        return _shown(
            _("%(name)s has a new secret.") % {"name": obj.name},
            endpoints.rotate_secret(**_common(obj, actor, data, now), old_ends_at=ends),
        )


class DisableEndpoint(EndpointAct):
    slug = "disable"
    title = gettext_lazy("Disable")
    icon = "notifications_off"
    is_dangerous = True

    def explanation(self, obj: Endpoint) -> str:
        return _(
            "%(name)s is sent nothing more. What is on its way is given up; what happens meanwhile is never told."
        ) % {"name": obj.name}

    def is_possible(self, obj: Endpoint) -> bool:
        return obj.disabled_at is None

    def run(self, *, actor: Any, obj: Endpoint, data: dict[str, Any], now: datetime) -> str:
        endpoints.disable(**_common(obj, actor, data, now))
        return _("%(name)s is disabled.") % {"name": obj.name}


class EnableEndpoint(EndpointAct):
    slug = "enable"
    title = gettext_lazy("Enable")
    icon = "notifications_active"

    def explanation(self, obj: Endpoint) -> str:
        return _("%(name)s is told of what happens from now on. What was given up can be replayed then.") % {
            "name": obj.name
        }

    def is_possible(self, obj: Endpoint) -> bool:
        return obj.disabled_at is not None and obj.deleted_at is None

    def run(self, *, actor: Any, obj: Endpoint, data: dict[str, Any], now: datetime) -> str:
        endpoints.enable(**_common(obj, actor, data, now))
        return _("%(name)s is enabled.") % {"name": obj.name}


class SendTest(EndpointAct):
    slug = "test"
    title = gettext_lazy("Send a test event")
    icon = "send"

    def explanation(self, obj: Endpoint) -> str:
        return _("%(name)s is sent one event of the type webhook.test, within seconds.") % {"name": obj.name}

    def is_possible(self, obj: Endpoint) -> bool:
        return obj.disabled_at is None

    def run(self, *, actor: Any, obj: Endpoint, data: dict[str, Any], now: datetime) -> str:
        endpoints.send_test(**_common(obj, actor, data, now))
        return _("The test event is on its way: see the deliveries below.")


class ReplayDead(EndpointAct):
    slug = "replay-dead"
    permission = policies.REPLAY
    title = gettext_lazy("Replay what was given up")
    icon = "replay"

    def explanation(self, obj: Endpoint) -> str:
        count = Delivery.objects.filter(endpoint=obj, state=Delivery.State.DEAD).count()
        return ngettext(
            "%(count)s dead delivery to %(name)s is tried again, under its own id, with all its attempts.",
            "%(count)s dead deliveries to %(name)s are tried again, each under its own id, with all its attempts.",
            count,
        ) % {"count": count, "name": obj.name}

    def is_possible(self, obj: Endpoint) -> bool:
        return obj.disabled_at is None

    def run(self, *, actor: Any, obj: Endpoint, data: dict[str, Any], now: datetime) -> str:
        count = deliveries.replay_dead(**_common(obj, actor, data, now))
        return ngettext("%(count)s delivery is tried again.", "%(count)s deliveries are tried again.", count) % {
            "count": count
        }


class DeleteEndpoint(EndpointAct):
    slug = "remove"
    title = gettext_lazy("Delete")
    icon = "delete"
    is_dangerous = True

    def explanation(self, obj: Endpoint) -> str:
        return _(
            "%(name)s is sent nothing more and cannot be enabled again; its deliveries can still be looked at."
        ) % {"name": obj.name}

    def run(self, *, actor: Any, obj: Endpoint, data: dict[str, Any], now: datetime) -> str:
        endpoints.delete(**_common(obj, actor, data, now))
        return _("%(name)s is deleted.") % {"name": obj.name}


def _common(obj: Endpoint, actor: Any, data: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "endpoint_id": obj.pk,
        "among": endpoints.existing(),
        "actor": actor,
        "reason": data["reason"],
        "now": now,
    }


def _shown(done: str, issued: endpoints.Issued) -> ShownOnce:
    return ShownOnce(done=done, secrets=[(_("Signing secret"), issued.secret)])


class DeliveriesPanel(Panel):
    title = gettext_lazy("Deliveries")

    def is_shown(self, request: HttpRequest, obj: Endpoint) -> bool:
        return request.user.has_perm("webhooks.view_delivery")

    def table(self, request: HttpRequest, obj: Endpoint) -> Table:
        rows = [
            [
                Cell(delivery.event.public_id, link=_page("delivery", delivery.pk)),
                delivery.event.type,
                Cell(delivery.get_state_display(), tone=STATE_TONES[delivery.state]),
                Cell(delivery.attempts, is_number=True),
                error_text(delivery.last_error) or delivery.last_status,
                delivery.created_at,
            ]
            for delivery in deliveries.newest(obj, limit=ROWS_SHOWN)
        ]
        listed = f"{reverse('admin:webhooks_delivery_changelist')}?endpoint__id__exact={obj.pk}"
        headings = (_("Message"), _("Type"), _("State"), _("Attempts"), _("Last answer"), _("Since"))
        return Table(headings=headings, rows=rows, empty=_("Nothing was sent yet"), more=Cell(_("All"), link=listed))

    def buttons(self, request: HttpRequest, obj: Endpoint) -> list[Button]:
        link = f"{reverse('admin:webhooks_delivery_changelist')}?endpoint__id__exact={obj.pk}&state__exact=dead"
        return [Button(title=_("Given up"), link=link)]


def _page(model: str, pk: int) -> str:
    return reverse(f"admin:webhooks_{model}_change", args=[pk])


class DisabledFilter(admin.SimpleListFilter):
    title = gettext_lazy("disabled")
    parameter_name = "disabled"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
        return queryset.filter(disabled_at__isnull=False) if self.value() == "1" else queryset


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    list_display = ("name", "owner", "url", "health", "why_disabled", "created_at")
    list_filter = (DisabledFilter,)
    list_select_related = ("client", "user")
    search_fields = ("name", "url", "client__name", "user__username")
    ordering = ("-id",)
    fields = (
        "public_id",
        "name",
        "owner",
        "url",
        "types",
        "failing_since",
        "disabled_at",
        "why_disabled",
        "deleted_at",
        "old_secret_ends_at",
        "created_at",
    )
    readonly_fields = fields
    creation = CreateEndpoint()
    acts = (
        EditEndpoint(),
        SendTest(),
        RotateSecret(),
        ReplayDead(),
        DisableEndpoint(),
        EnableEndpoint(),
        DeleteEndpoint(),
    )
    panels = (DeliveriesPanel(),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, policies.ADD)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Secrets must not show, so they are not fetched.
        return super().get_queryset(request).defer("secret_encrypted", "old_secret_encrypted")

    @admin.display(description=gettext_lazy("owner"))
    def owner(self, endpoint: Endpoint) -> str:
        named = endpoint.client or endpoint.user
        return _("the platform") if named is None else f"{named} ({OWNER_KINDS[endpoint.owner_kind]})"

    @admin.display(description=gettext_lazy("disabled reason"))
    def why_disabled(self, endpoint: Endpoint) -> str:
        return reason_text(endpoint.disabled_reason)

    @display(
        description=gettext_lazy("state"),
        label={"listens": "success", "failing": "warning", "disabled": "danger", "deleted": "plain"},
    )
    def health(self, endpoint: Endpoint) -> tuple[str, str]:
        if endpoint.deleted_at is not None:
            return "deleted", _("deleted")
        if endpoint.disabled_at is not None:
            return "disabled", _("disabled")
        return ("listens", _("listens")) if endpoint.failing_since is None else ("failing", _("failing"))


class ReplayDelivery(Act):
    slug = "replay"
    permission = policies.REPLAY
    title = gettext_lazy("Replay")
    icon = "replay"
    advice = {"WEBHOOK_ENDPOINT_DISABLED": gettext_lazy("Enable the endpoint on its page, then replay.")}

    def explanation(self, obj: Delivery) -> str:
        return _("%(event)s is sent to %(name)s again, under the same id, with all its attempts.") % {
            "event": obj.event,
            "name": obj.endpoint.name,
        }

    def is_possible(self, obj: Delivery) -> bool:
        return obj.state != Delivery.State.PENDING

    def run(self, *, actor: Any, obj: Delivery, data: dict[str, Any], now: datetime) -> str:
        reason = data["reason"]
        deliveries.replay(delivery_id=obj.pk, actor=actor, reason=reason, now=now, among=endpoints.existing())
        return _("It is tried again within seconds.")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("message", "type", "endpoint", "shown_state", "attempts", "last_status", "last_error", "created_at")
    list_filter = ("state",)
    list_select_related = ("event", "endpoint")
    search_fields = ("=event__public_id",)
    search_help_text = gettext_lazy("A message's id (msg_…)")
    ordering = ("-id",)
    fields = (
        "event",
        "endpoint",
        "state",
        "attempts",
        "next_attempt",
        "last_status",
        "shown_error",
        "created_at",
        "finished_at",
    )
    readonly_fields = fields
    acts = (ReplayDelivery(),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("event", "endpoint")
        return rows.defer("endpoint__secret_encrypted", "endpoint__old_secret_encrypted", "event__data")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "endpoint__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("next attempt at"))
    def next_attempt(self, delivery: Delivery) -> datetime | None:
        return delivery.next_attempt_at if delivery.state == Delivery.State.PENDING else None

    @admin.display(description=gettext_lazy("message"), ordering="event")
    def message(self, delivery: Delivery) -> str:
        return delivery.event.public_id

    @admin.display(description=gettext_lazy("type"))
    def type(self, delivery: Delivery) -> str:
        return delivery.event.type

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_TONES)
    def shown_state(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()

    @admin.display(description=gettext_lazy("last error"))
    def shown_error(self, delivery: Delivery) -> str:
        return error_text(delivery.last_error)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "type", "occurred_at")
    list_filter = ("type",)
    search_fields = ("=public_id",)
    ordering = ("-id",)

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        # What a tenant's users say is for who may read the chat.
        is_chat = obj is not None and obj.type.startswith("chat.")
        seen = ("data",) if not is_chat or request.user.has_perm(READ_CHAT) else ()
        return ("public_id", "type", "occurred_at", *seen)

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)
