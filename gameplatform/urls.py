"""Every HTTP route of the platform. Each app owns its own; this module only says where they hang."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from accounts.api import urls as accounts_urls
from chat.api import urls as chat_urls
from core.wire import chatapi, gamefuse, nest, plyr
from core.wire.openapi import SchemaView
from core.wire.unknown import Prefixes
from gameplatform.operations import pages
from payments.api import pot_urls, wallet_urls
from rooms.api import urls as rooms_urls
from rounds.api import urls as rounds_urls
from webhooks.api import urls as webhooks_urls

# An unknown route answers in the style of its prefix.
_prefixes = Prefixes(
    [
        ("/api/v3/", gamefuse.STYLE),
        ("/api/v1/rooms", chatapi.STYLE),
        ("/api/v1/messages", chatapi.STYLE),
        ("/api/v1/", nest.STYLE),
        ("/api/", plyr.STYLE),
    ]
)
handler404 = _prefixes.page_not_found
handler500 = _prefixes.server_error

pages.compose()

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="api-docs"), name="home"),
    path("admin", RedirectView.as_view(pattern_name="admin:index"), name="admin"),
    path("admin/", admin.site.urls),
    re_path(r"^api/schema/?$", SchemaView.as_view(), name="api-schema"),
    re_path(
        r"^api/docs/?$",
        # The page's renderer has no template for DRF's metadata: OPTIONS is not offered.
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", metadata_class=None),
        name="api-docs",
    ),
    path("api/v1/", include(accounts_urls)),
    path("api/v1/", include(wallet_urls)),
    path("api/v1/", include(chat_urls)),
    path("api/v1/", include(webhooks_urls)),
    path("api/v1/", include(rooms_urls)),
    path("api/v3/", include(rounds_urls)),
    path("api/", include(pot_urls)),
]
