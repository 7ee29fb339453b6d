"""Users and games in the back-office. Users are switched off, never deleted: their payments stay."""

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from gameplatform.accounts.api_keys import issue_key, revoke_key
from gameplatform.accounts.models import ApiClient, ApiKey, Game, User
from gameplatform.core import clock
from gameplatform.core.errors import DomainError

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")

admin.site.unregister(Group)
# The register of refresh tokens is machinery, changed by signing in and out only.
admin.site.unregister(OutstandingToken)
admin.site.unregister(BlacklistedToken)


@admin.register(User)
class PlatformUserAdmin(UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "fullname", "email", "is_master", "is_staff", "is_active", "date_joined")
    list_filter = ("is_master", "is_staff", "is_active")
    search_fields = ("username", "fullname", "email", "wallet_address")
    ordering = ("-id",)
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Profile", {"fields": ("fullname", "email", "avatar", "wallet_address")}),
        ("Roles", {"fields": ("is_active", "is_master", *RIGHTS)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fields = ("last_login", "date_joined")
        # Who may change users must not be able to make itself, or anybody, more than that.
        return fields if request.user.is_superuser else (*fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Setting a superuser's password or email is as good as being one.
        is_out_of_reach = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not is_out_of_reach

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Game)
class GameAdmin(ModelAdmin):
    list_display = ("name", "symbol", "status", "result_mode", "score_order", "created_at")
    list_filter = ("status", "result_mode")
    search_fields = ("name", "symbol")
    ordering = ("id",)
    readonly_fields = ("created_at",)


class ApiKeyInline(TabularInline):
    model = ApiKey
    fields = readonly_fields = ("prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: ApiClient | None = None) -> bool:
        return False


@admin.register(ApiClient)
class ApiClientAdmin(ModelAdmin):
    list_display = ("name", "public_id", "game", "is_active", "created_at")
    list_filter = ("is_active",)
    list_select_related = ("game",)
    search_fields = ("name", "=public_id")
    ordering = ("name",)
    readonly_fields = ("public_id", "created_at")
    inlines = [ApiKeyInline]
    actions = ["issue_chat_key", "revoke_keys"]

    def has_delete_permission(self, request: HttpRequest, obj: ApiClient | None = None) -> bool:
        return False

    @admin.action(description="Issue a key for the chat (shown once)", permissions=["change"])
    def issue_chat_key(self, request: HttpRequest, clients: QuerySet[ApiClient]) -> None:
        for client in clients:
            try:
                issued = issue_key(client=client, scopes=[ApiKey.Scope.CHAT], now=clock.now())
            except DomainError as error:
                self.message_user(request, f"{client}: {error.message}", messages.WARNING)
            else:
                self.message_user(request, f"{client}: keep this key now, it is not shown again: {issued.text}")

    @admin.action(description="Revoke all keys: their sockets close at once", permissions=["change"])
    def revoke_keys(self, request: HttpRequest, clients: QuerySet[ApiClient]) -> None:
        keys = ApiKey.objects.filter(client__in=clients, revoked_at__isnull=True)
        for key in keys:
            revoke_key(key=key, now=clock.now())
        self.message_user(request, f"Revoked {len(keys)} keys.")


@admin.register(Group)
class PlatformGroupAdmin(GroupAdmin, ModelAdmin):
    pass
