"""Wallet routes below /api/v1; a trailing slash is optional on each."""

from core.wire.routers import ResourceRouter
from payments.api.wallet_views import WalletViewSet

router = ResourceRouter()
router.register("wallet", WalletViewSet, basename="wallet")

urlpatterns = router.urls
