"""Pages that a master shares with staff: the master sees what is its own, and nothing else exists for it."""

from typing import Any, ClassVar

from django.contrib.auth import get_permission_codename
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import roles
from backoffice.admin import ReadOnlyAdmin

STATUS_TONES = {
    "open": "success",
    "inactive": "warning",
    "deleted": "plain",
    "pending": "info",
    "running": "success",
    "ended": "plain",
    "out": "warning",
    "void": "danger",
    "paid": "success",
    "left": "plain",
    "refunded": "warning",
}


class OwnedAdmin(ReadOnlyAdmin):
    """Rows are visible to staff with the view permission, and to the master whose room they belong to."""

    # The path from a row to the master.
    owner_path: ClassVar[str]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if self.sees_all(request):
            return rows
        return rows.filter(**{self.owner_path: request.user})

    def sees_all(self, request: HttpRequest) -> bool:
        """Whether the user sees every master's rows."""
        codename = get_permission_codename("view", self.opts)
        return roles.may(request.user, f"{self.opts.app_label}.{codename}")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if self.sees_all(request):
            return True
        return roles.is_master(request.user) and (obj is None or self._owner_id(obj) == request.user.pk)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def _owner_id(self, obj: Any) -> int | None:
        for step in self.owner_path.split("__"):
            obj = getattr(obj, step)
        owner_id: int = obj.pk
        return owner_id
