"""Deposits and withdrawals with a reason, and the second person's approval of large ones."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import User
from backoffice.acts import Act, ReasonForm
from backoffice.admin import ReadOnlyAdmin
from backoffice.panels import Button, Cell, Panel, Table, linked
from core.amounts import amount_decimal, parse_amount
from core.errors import DomainError
from payments import adjustments
from payments.admin.ledger import amount_text
from payments.errors import ApprovalNeeded
from payments.models import Account, Adjustment, AdjustmentRequest, Token

Kind = Adjustment.Kind


class AdjustForm(ReasonForm):
    token = forms.ModelChoiceField(
        Token.objects.order_by("symbol"), empty_label=None, widget=UnfoldAdminSelectWidget, label=gettext_lazy("Token")
    )
    amount = forms.CharField(
        max_length=30,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "placeholder": "12.50"}),
        help_text=gettext_lazy("In whole tokens, with a point: 12.50"),
        label=gettext_lazy("Amount"),
    )
    field_order = ("token", "amount", "reason")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "token" in data and "amount" in data:
            try:
                data["amount_minor"] = parse_amount(data["amount"].strip(), decimals=data["token"].decimals)
            except DomainError as error:
                self.add_error("amount", error.translated())
        return data


class Adjust(Act):
    """What depositing and withdrawing share: alone up to the limit, by request above it."""

    form = AdjustForm
    needs_fresh_login = True
    kind: ClassVar[Adjustment.Kind]
    advice = {
        "INSUFFICIENT_FUNDS": gettext_lazy("The wallet holds less than that. See its statement for what it can give."),
        "IDEMPOTENCY_KEY_REUSED": gettext_lazy("This page was sent before with other values. Open it again."),
    }

    permission = adjustments.ADJUST

    def is_allowed(self, request: HttpRequest, obj: User) -> bool:
        return super().is_allowed(request, obj) and request.user.pk != obj.pk

    def run(self, *, actor: Any, obj: User, data: dict[str, Any], now: datetime) -> str:
        token, amount_minor = data["token"], data["amount_minor"]
        terms = {
            "user": obj,
            "token": token,
            "amount_minor": amount_minor,
            "reason": data["reason"],
            "actor": actor,
            "request_key": data["request_key"],
            "now": now,
        }
        text = amount_text(amount_minor, token)
        try:
            if self.kind == Kind.DEPOSIT:
                adjustments.deposit(**terms)
                return _("%(text)s deposited to %(username)s.") % {"text": text, "username": obj.username}
            adjustments.withdraw(**terms)
            return _("%(text)s withdrawn from %(username)s.") % {"text": text, "username": obj.username}
        except ApprovalNeeded:
            adjustments.request_adjustment(kind=self.kind, **terms)
            return _(
                "%(text)s takes a second person: the request waits under “Adjustment requests”. No money moved yet."
            ) % {"text": text}


class Deposit(Adjust):
    slug = "deposit"
    title = gettext_lazy("Deposit")
    icon = "add_card"
    kind = Kind.DEPOSIT

    def explanation(self, obj: User) -> str:
        return _("Tokens are created in the wallet of %(username)s. Large amounts wait for a second person.") % {
            "username": obj.username
        }


class Withdraw(Adjust):
    slug = "withdraw"
    title = gettext_lazy("Withdraw")
    icon = "credit_card_off"
    kind = Kind.WITHDRAWAL

    def explanation(self, obj: User) -> str:
        return _(
            "Tokens are taken from the wallet of %(username)s and destroyed. Large amounts wait for a second person."
        ) % {"username": obj.username}


class WalletsPanel(Panel):
    title = gettext_lazy("Wallets")

    def is_shown(self, request: HttpRequest, obj: User) -> bool:
        return request.user.has_perm("payments.view_account")

    def table(self, request: HttpRequest, obj: User) -> Table:
        wallets = Account.objects.filter(kind=Account.Kind.WALLET, owner=obj).select_related("token")
        rows = [
            [
                wallet.token.symbol,
                Cell(amount_text(wallet.balance_minor, wallet.token), is_number=True),
                Cell(_("Statement"), link=reverse("admin:payments_account_change", args=[wallet.pk])),
            ]
            for wallet in wallets.order_by("token__symbol")
        ]
        return Table(
            headings=(_("Token"), _("Balance"), ""), rows=rows, empty=_("No wallet yet: the first deposit makes one.")
        )

    def buttons(self, request: HttpRequest, obj: User) -> list[Button]:
        return [
            Button(title=act.title, link=reverse(f"admin:accounts_user_{act.slug}", args=[obj.pk]))
            for act in (DEPOSIT, WITHDRAW)
            if act.is_allowed(request, obj)
        ]


DEPOSIT, WITHDRAW = Deposit(), Withdraw()


class AmountColumns(ReadOnlyAdmin):
    """What the lists of adjustments and of requests share."""

    list_filter: tuple[str, ...] = ("kind",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user", "token")

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def amount(self, row: Adjustment | AdjustmentRequest) -> str:
        return amount_text(row.amount_minor, row.token)


@admin.register(Adjustment)
class AdjustmentAdmin(AmountColumns):
    list_display = ("created_at", "kind", "user", "amount", "reason", "actor")
    list_select_related = ("user", "token", "actor")
    search_fields = ("=user__username", "=actor__username")
    fields = ("public_id", "created_at", "kind", "user", "amount", "reason", "actor", "moved_by")
    readonly_fields = fields
    export_columns = (
        ("at", lambda row: row.created_at),
        ("kind", lambda row: row.kind),
        ("user", lambda row: row.user.username),
        ("amount", lambda row: amount_decimal(row.amount_minor, decimals=row.token.decimals)),
        ("token", lambda row: row.token.symbol),
        ("reason", lambda row: row.reason),
        ("actor", lambda row: row.actor.username),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("actor")

    @admin.display(description=gettext_lazy("transfer"))
    def moved_by(self, row: Adjustment) -> str:
        return linked(row.transfer)


class ApproveRequest(Act):
    slug = "approve"
    permission = adjustments.APPROVE
    needs_fresh_login = True
    title = gettext_lazy("Approve")
    icon = "check"

    def explanation(self, obj: AdjustmentRequest) -> str:
        return _(
            "The %(kind)s of %(amount)s for %(username)s, which %(requester)s asked for (“%(reason)s”), is made at"
            " once."
        ) % {
            "kind": obj.get_kind_display().lower(),
            "amount": amount_text(obj.amount_minor, obj.token),
            "username": obj.user.username,
            "requester": obj.requester.username,
            "reason": obj.reason,
        }

    def is_possible(self, obj: AdjustmentRequest) -> bool:
        return obj.state == AdjustmentRequest.State.REQUESTED

    def run(self, *, actor: Any, obj: AdjustmentRequest, data: dict[str, Any], now: datetime) -> str:
        adjustments.approve_adjustment(request_id=obj.pk, actor=actor, reason=data["reason"], now=now)
        return _("Approved: the %(kind)s of %(amount)s is made.") % {
            "kind": obj.get_kind_display().lower(),
            "amount": amount_text(obj.amount_minor, obj.token),
        }


class RejectRequest(ApproveRequest):
    slug = "reject"
    title = gettext_lazy("Reject")
    icon = "close"
    is_dangerous = True

    def explanation(self, obj: AdjustmentRequest) -> str:
        return _("The %(kind)s of %(amount)s is turned down. No money moves.") % {
            "kind": obj.get_kind_display().lower(),
            "amount": amount_text(obj.amount_minor, obj.token),
        }

    def run(self, *, actor: Any, obj: AdjustmentRequest, data: dict[str, Any], now: datetime) -> str:
        adjustments.reject_adjustment(request_id=obj.pk, actor=actor, reason=data["reason"], now=now)
        return _("Rejected. No money moved.")


@admin.register(AdjustmentRequest)
class AdjustmentRequestAdmin(AmountColumns):
    list_display = ("created_at", "kind", "user", "amount", "reason", "requester", "state", "decider")
    list_filter = ("state", "kind")
    fields = (
        "created_at",
        "kind",
        "user",
        "amount",
        "reason",
        "requester",
        "state",
        "decider",
        "decided_at",
        "decision_reason",
    )
    readonly_fields = fields
    acts = (ApproveRequest(), RejectRequest())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("requester", "decider")
