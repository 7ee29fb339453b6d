"""Wallet routes below /api/v1; a trailing slash is optional on each."""

from django.urls import re_path

from payments.api import wallet_views

urlpatterns = [
    re_path(r"^wallet/?$", wallet_views.WalletView.as_view(), name="wallet"),
    re_path(r"^wallet/statement/?$", wallet_views.StatementView.as_view(), name="wallet-statement"),
    re_path(r"^wallet/deposits/?$", wallet_views.DepositView.as_view(), name="wallet-deposits"),
    re_path(r"^wallet/withdrawals/?$", wallet_views.WithdrawalView.as_view(), name="wallet-withdrawals"),
]
