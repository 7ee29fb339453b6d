"""Tokens, accounts and transfers: read-only for everyone, superusers too."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.admin import ReadOnlyAdmin
from backoffice.panels import Cell, Panel, Table
from backoffice.searching import as_number
from core.amounts import amount_decimal, format_amount_grouped
from payments import queries
from payments.models import Account, Token, Transfer

STATEMENT_LINES = 50
# Every reason a transfer is made for; a filter that asked the table would read all of it.
CODES = {
    "entry_fee": gettext_lazy("entry fee"),
    "refund": gettext_lazy("refund"),
    "prize": gettext_lazy("prize"),
    "deposit": gettext_lazy("deposit"),
    "withdrawal": gettext_lazy("withdrawal"),
    "pot_pay": gettext_lazy("pot pay"),
    "pot_fee": gettext_lazy("pot fee"),
    "pot_earn": gettext_lazy("pot earn"),
    "pot_close": gettext_lazy("pot close"),
}


def amount_text(minor: int, token: Token) -> str:
    """``1,234.50 GOLD``."""
    return f"{format_amount_grouped(minor, decimals=token.decimals)} {token.symbol}"


def code_text(code: str) -> str:
    """What a transfer was made for, in the user's language."""
    return str(CODES.get(code, code))


def account_text(account: Account) -> str:
    """Who holds the account, in a word or two; its owner must be loaded."""
    if account.owner is not None:
        return account.owner.username
    if account.escrow_id:
        return _("escrow %(number)s") % {"number": account.escrow_id}
    return account.get_kind_display().lower()


def account_cell(account: Account) -> Cell:
    """The account with a link to its statement."""
    return Cell(account_text(account), link=reverse("admin:payments_account_change", args=[account.pk]))


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "name", "decimals", "supply", "payouts_frozen_at")
    ordering = ("symbol",)
    fields = ("symbol", "name", "decimals", "supply", "payouts_frozen_at", "payouts_frozen_reason", "created_at")
    readonly_fields = fields

    @admin.display(description=gettext_lazy("in circulation"))
    def supply(self, token: Token) -> str:
        return amount_text(queries.supply_minor(token.symbol), token)


class StatementPanel(Panel):
    """The account's transfers with the balance after each, newest first; ``?before=`` continues."""

    title = gettext_lazy("Statement")

    def table(self, request: HttpRequest, obj: Account) -> Table:
        before_id = as_number(request.GET.get("before", ""))
        lines = queries.statement(account_id=obj.pk, before_transfer_id=before_id, limit=STATEMENT_LINES)
        rows = [
            [
                line.created_at,
                code_text(line.code),
                line.reference,
                Cell(amount_text(line.amount_minor, obj.token), is_number=True),
                Cell(amount_text(line.balance_after_minor, obj.token), is_number=True),
                Cell(line.transfer_id, link=reverse("admin:payments_transfer_change", args=[line.transfer_id])),
            ]
            for line in lines
        ]
        more = (
            Cell(_("Older transfers"), link=f"?before={lines[-1].transfer_id}")
            if len(lines) == STATEMENT_LINES
            else None
        )
        headings = (_("When"), _("Why"), _("What for"), _("Amount"), _("Balance after"), _("Transfer"))
        return Table(headings=headings, rows=rows, empty=_("No transfer yet"), more=more)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("holder", "kind", "balance", "created_at")
    list_display_links = ("holder",)
    list_filter = ("kind", "token")
    list_select_related = ("owner", "token")
    search_fields = ("owner__username",)
    search_help_text = gettext_lazy("The beginning of a user name, or an account's id")
    ordering = ("-id",)
    fields = ("holder", "kind", "balance", "created_at")
    readonly_fields = fields
    panels = (StatementPanel(),)
    export_columns = (
        ("id", lambda account: account.pk),
        ("holder", account_text),
        ("kind", lambda account: account.kind),
        ("token", lambda account: account.token.symbol),
        ("balance", lambda account: amount_decimal(account.balance_minor, decimals=account.token.decimals)),
    )

    def search_exactly(self, term: str) -> Q:
        found = Q(owner__username__istartswith=term)
        number = as_number(term)
        return found if number is None else found | Q(pk=number)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("owner", "token")

    @admin.display(description=gettext_lazy("holder"), ordering="owner__username")
    def holder(self, account: Account) -> str:
        return account_text(account)

    @admin.display(description=gettext_lazy("balance"), ordering="balance_minor")
    def balance(self, account: Account) -> str:
        return amount_text(account.balance_minor, account.token)


class CodeFilter(admin.SimpleListFilter):
    title = gettext_lazy("reason")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code_text(code)) for code in CODES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Transfer]) -> QuerySet[Transfer]:
        return queryset.filter(code=self.value()) if self.value() else queryset


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "what_for", "amount", "taken_from", "given_to", "reference")
    list_filter = (CodeFilter, "token", ("created_at", admin.DateFieldListFilter))
    search_fields = ("reference",)
    search_help_text = gettext_lazy("A reference (session:42), a transaction hash, an idempotency key, or an id")
    ordering = ("-id",)
    fields = (
        "id",
        "created_at",
        "what_for",
        "amount",
        "taken_from",
        "given_to",
        "reference",
        "idempotency_key",
        "batch",
        "tx_hash",
        "corrected",
    )
    readonly_fields = fields
    export_columns = (
        ("id", lambda transfer: transfer.pk),
        ("at", lambda transfer: transfer.created_at),
        ("code", lambda transfer: transfer.code),
        ("amount", lambda transfer: amount_decimal(transfer.amount_minor, decimals=transfer.token.decimals)),
        ("token", lambda transfer: transfer.token.symbol),
        ("from", lambda transfer: account_text(transfer.debit_account)),
        ("to", lambda transfer: account_text(transfer.credit_account)),
        ("reference", lambda transfer: transfer.reference),
        ("tx_hash", lambda transfer: transfer.tx_hash),
    )

    def search_exactly(self, term: str) -> Q:
        found = Q(reference=term) | Q(tx_hash=term.lower()) | Q(idempotency_key=term)
        number = as_number(term)
        return found if number is None else found | Q(pk=number)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("token", "debit_account__owner", "credit_account__owner")

    @admin.display(description=gettext_lazy("reason"), ordering="code")
    def what_for(self, transfer: Transfer) -> str:
        return code_text(transfer.code)

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def amount(self, transfer: Transfer) -> str:
        return amount_text(transfer.amount_minor, transfer.token)

    @admin.display(description=gettext_lazy("from"))
    def taken_from(self, transfer: Transfer) -> str:
        return account_text(transfer.debit_account)

    @admin.display(description=gettext_lazy("to"))
    def given_to(self, transfer: Transfer) -> str:
        return account_text(transfer.credit_account)

    @admin.display(description=gettext_lazy("corrects"))
    def corrected(self, transfer: Transfer) -> str:
        if not transfer.corrects_id:
            return "–"
        return _("transfer %(number)s") % {"number": transfer.corrects_id}
