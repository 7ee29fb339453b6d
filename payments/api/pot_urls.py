"""Mounted under ``/api/``: the base address of a PLYR client."""

from core.wire.routers import ResourceRouter
from payments.api import players, pots

router = ResourceRouter()
router.register("game", pots.PotViewSet, basename="pot")
router.register("game", players.AllowanceViewSet, basename="allowance")
router.register("task/status", pots.TaskViewSet, basename="task")
router.register("user", players.PlayerViewSet, basename="player")
router.register("instantPlayPass", players.GuestViewSet, basename="guest")
router.register("jwt", players.SessionKeyViewSet, basename="session")
router.register("tokenlist", players.TokenListViewSet, basename="token-list")
router.register("now", players.NowViewSet, basename="now")

urlpatterns = router.urls
