"""The chat in the back-office: everything is read here; what changes something is an act with a reason."""

from chat.admin import messages, rooms

__all__ = ["messages", "rooms"]
