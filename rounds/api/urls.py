"""The GameFuse routes, to be mounted at ``api/v3/``. Each takes a ``.json`` suffix and a trailing slash."""

from django.urls import URLPattern, re_path

from core.wire.gamefuse import GameFuseView, UnknownRouteView
from rounds.api import leaderboard_views as boards
from rounds.api import round_views as rounds
from rounds.api import suite_views as suite
from rounds.api import user_views as users


def route(pattern: str, view: type[GameFuseView], label: str, **options: object) -> URLPattern:
    """``{id}`` in the pattern is a number."""
    pattern = pattern.replace("{id}", "(?P<id>[0-9]+)")
    return re_path(rf"^{pattern}(?:\.json)?/?$", view.as_view(**options), name=f"gamefuse-{label}")


urlpatterns = [
    route("games/verify", users.GameView, "game"),
    route("games/fetch_game_variables", users.GameView, "game-variables"),
    route("games/store_items", users.StoreItemsView, "store-items"),
    route("games/{id}/leaderboard_entries", boards.GameEntriesView, "game-entries"),
    route("users", users.UsersView, "users"),
    route("sessions", users.SessionsView, "sessions"),
    route("users/{id}", users.UserView, "user"),
    route("users/{id}/add_credits", users.NumberView, "add-credits", name="credits", is_relative=True),
    route("users/{id}/set_credits", users.NumberView, "set-credits", name="credits", is_relative=False),
    route("users/{id}/add_score", users.NumberView, "add-score", name="score", is_relative=True),
    route("users/{id}/set_score", users.NumberView, "set-score", name="score", is_relative=False),
    route("users/{id}/game_user_attributes", users.AttributesView, "attributes"),
    route("users/{id}/add_game_user_attribute", users.AddAttributeView, "add-attribute"),
    route("users/{id}/remove_game_user_attributes?", users.RemoveAttributeView, "remove-attribute"),
    route("users/{id}/game_user_store_items", users.EmptyStoreView, "user-store-items"),
    route("users/{id}/leaderboard_entries", boards.UserEntriesView, "user-entries"),
    route("users/{id}/add_leaderboard_entry", boards.AddEntryView, "add-entry"),
    route("users/{id}/clear_my_leaderboard_entries", boards.ClearEntriesView, "clear-entries"),
    route("game_rounds", rounds.RoundsView, "rounds"),
    route("game_rounds/{id}", rounds.OneRoundView, "round"),
    route("test_suite/create_game", suite.CreateGameView, "suite-game"),
    route("test_suite/create_user", suite.CreateUserView, "suite-user"),
    route("test_suite/clean_up_test", suite.CleanUpView, "suite-clean-up"),
    re_path(r"", UnknownRouteView.as_view()),
]
