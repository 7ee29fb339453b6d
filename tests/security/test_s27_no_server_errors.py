"""S27: no request makes a server error."""

import pytest


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/", "/api/docs/?script=", "/api/schema", "/api/schema/"])
def test_options_of_the_documents_is_no_server_error(client, path):
    client.raise_request_exception = False
    assert client.options(path).status_code < 500
