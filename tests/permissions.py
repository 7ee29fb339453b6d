"""The rows of the routes that belong to no app."""

from tests.support.permissions import everybody

ROWS = {
    ("home", "GET"): everybody(302),
    ("api-schema", "GET"): everybody(200),
    ("api-docs", "GET"): everybody(200),
}
