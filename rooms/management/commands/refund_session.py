"""`manage.py refund_session ID --reason TEXT`."""

from rooms import lifecycle
from rooms.management.refunding import RefundingCommand
from rooms.models import Session


class Command(RefundingCommand):
    help = "Call off a session that has not started and refund everybody in it. Safe to repeat."
    end = staticmethod(lifecycle.call_off_session)
    applies_to = (Session.Status.PENDING,)
