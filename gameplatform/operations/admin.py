"""Who comes in and who tries to: what django-axes keeps, to look at."""

from axes.models import AccessAttempt, AccessLog
from django.contrib import admin

from gameplatform.backoffice.admin import ReadOnlyAdmin


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin):
    """Wrong passwords of the last minutes: a name at the limit is locked out from that address."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "path_info", "user_agent")
    search_fields = ("username", "=ip_address")
    search_help_text = "A user name, or a whole address"
    ordering = ("-attempt_time",)
    # What else was sent stays out: somebody in a hurry types the password into the wrong field.
    fields = list_display
    readonly_fields = fields


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Every login to the back-office, and its end if somebody logged out."""

    list_display = ("attempt_time", "username", "ip_address", "logout_time", "user_agent")
    list_filter = (("attempt_time", admin.DateFieldListFilter),)
    search_fields = ("username", "=ip_address")
    search_help_text = "A user name, or a whole address"
    ordering = ("-id",)
    fields = list_display
    readonly_fields = fields
