"""The router of the API: a resource's URLs, each with an optional trailing slash."""

from rest_framework.routers import DynamicRoute, Route, SimpleRouter


class ResourceRouter(SimpleRouter):
    """``GET, POST, PATCH and DELETE`` on a collection, ``GET, PUT, PATCH and DELETE`` on a member, and ``@action``s.

    A collection may take PATCH and DELETE because ``game-rooms`` names its room in the query (contract: rooms).
    ``suffix`` is a pattern that every URL may end with, before the slash.
    """

    routes = [
        Route(
            url=r"^{prefix}{trailing_slash}$",
            mapping={"get": "list", "post": "create", "patch": "change", "delete": "remove"},
            name="{basename}",
            detail=False,
            initkwargs={},
        ),
        DynamicRoute(
            url=r"^{prefix}/{url_path}{trailing_slash}$", name="{basename}-{url_name}", detail=False, initkwargs={}
        ),
        Route(
            url=r"^{prefix}/{lookup}{trailing_slash}$",
            mapping={"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"},
            name="{basename}-one",
            detail=True,
            initkwargs={},
        ),
        DynamicRoute(
            url=r"^{prefix}/{lookup}/{url_path}{trailing_slash}$",
            name="{basename}-{url_name}",
            detail=True,
            initkwargs={},
        ),
    ]

    def __init__(self, *, suffix: str = "") -> None:
        super().__init__()
        # A redirect to the address with the slash would lose the body of a POST.
        self.trailing_slash = f"{suffix}/?"
