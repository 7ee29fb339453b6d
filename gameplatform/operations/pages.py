"""The composition of the back-office: what apps add to the pages of the apps below them."""

from django.contrib import admin

from accounts.models import User
from backoffice.admin import PlatformAdmin
from payments.admin.adjusting import DEPOSIT, WITHDRAW, WalletsPanel
from payments.models import Token
from rooms.admin.tokens import ReleaseToken


def compose() -> None:
    """Extend the registered pages. ``gameplatform.urls`` calls this once, before it makes the site's URLs."""
    _pages_of(User).extend(acts=[DEPOSIT, WITHDRAW], panels=[WalletsPanel()])
    _pages_of(Token).extend(acts=[ReleaseToken()])


def _pages_of(model: type[User | Token]) -> PlatformAdmin:
    pages = admin.site._registry[model]
    assert isinstance(pages, PlatformAdmin)
    return pages
