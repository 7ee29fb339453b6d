"""An authenticator app for tests."""

import base64

from django_otp.oath import TOTP

from accounts import second_factor
from core.db import clock


class App:
    """The authenticator app on a phone."""

    def __init__(self, secret: str) -> None:
        self.key = base64.b32decode(secret)

    def code(self, *, steps: int = 0) -> str:
        """The code of now, or so many steps of 30 seconds later."""
        totp = TOTP(self.key, drift=steps)
        totp.time = clock.now().timestamp()
        return f"{totp.token():06d}"


def equip(user) -> tuple[App, list[str]]:
    """An app that the user's login asks for from now on, and the recovery codes; its code of now is used up."""
    app = App(second_factor.begin(user=user, now=clock.now()).secret)
    return app, second_factor.confirm(user=user, code=app.code(), now=clock.now())
