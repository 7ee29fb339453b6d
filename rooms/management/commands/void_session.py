"""`manage.py void_session ID --reason TEXT`."""

from rooms import lifecycle
from rooms.management.refunding import RefundingCommand
from rooms.models import Session


class Command(RefundingCommand):
    help = "End a live session without a winner and refund everybody in it. Safe to repeat."
    end = staticmethod(lifecycle.void_session)
    applies_to = Session.LIVE
