"""The payments app in the back-office; each part registers its own models."""

from payments import pot_admin

__all__ = ["pot_admin"]
