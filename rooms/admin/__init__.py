"""Rooms, sessions and participants in the back-office: masters see their own, staff what its permissions allow."""

from rooms.admin import rooms, sessions, tokens

__all__ = ["rooms", "sessions", "tokens"]
