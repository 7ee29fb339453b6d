"""The books in the back-office: read-only. Wallets are adjusted by acts with a reason."""

from payments.admin import adjusting, ledger, pots

__all__ = ["adjusting", "ledger", "pots"]
