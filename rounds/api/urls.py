"""The GameFuse resources, to be mounted at ``api/v3/``. Each route takes a ``.json`` suffix and a trailing slash."""

from core.wire.gamefuse import UnknownRouteViewSet
from core.wire.routers import ResourceRouter
from rounds.api import leaderboard_views as boards
from rounds.api import round_views as rounds
from rounds.api import suite_views as suite
from rounds.api import user_views as users

router = ResourceRouter(suffix=r"(?:\.json)?")
router.register("games", users.GameViewSet, basename="gamefuse-games")
router.register("games", boards.GameBoardViewSet, basename="gamefuse-game-boards")
router.register("users", users.SignUpViewSet, basename="gamefuse-sign-up")
router.register("users", users.UserViewSet, basename="gamefuse-users")
router.register("users", boards.UserBoardViewSet, basename="gamefuse-user-boards")
router.register("sessions", users.SessionViewSet, basename="gamefuse-sessions")
router.register("game_rounds", rounds.RoundViewSet, basename="gamefuse-rounds")
router.register("test_suite", suite.SuiteViewSet, basename="gamefuse-suite")
router.register(r"[\s\S]*", UnknownRouteViewSet, basename="gamefuse-unknown")

urlpatterns = router.urls
