from django.urls import re_path

from accounts.api import views
from core.wire.routers import ResourceRouter

router = ResourceRouter()
router.register("game-lists", views.GameListViewSet, basename="game-lists")

urlpatterns = [
    re_path(r"^auth/register/?$", views.RegisterView.as_view(), name="auth-register"),
    re_path(r"^auth/login/?$", views.LoginView.as_view(), name="auth-login"),
    re_path(r"^auth/refresh/?$", views.RefreshView.as_view(), name="auth-refresh"),
    re_path(r"^auth/logout/?$", views.LogoutView.as_view(), name="auth-logout"),
    re_path(r"^auth/logout-everywhere/?$", views.LogoutEverywhereView.as_view(), name="auth-logout-everywhere"),
    re_path(r"^auth/me/?$", views.MeView.as_view(), name="auth-me"),
    *router.urls,
]
