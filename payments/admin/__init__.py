"""The books in the back-office: shown to staff, changed by nobody. Wallets are adjusted by acts with a reason."""

from payments import pot_admin
from payments.admin import adjusting, ledger

__all__ = ["adjusting", "ledger", "pot_admin"]
