"""What managing webhooks may be refused for."""

from django.utils.translation import gettext_noop as _

from core.errors import Conflict, Forbidden, Invalid, NotFound


class NotAnOwner(Forbidden):
    """Who asks has no events of its own."""

    code = "NO_WEBHOOKS_OWNER"
    default_message = _("Only API clients and masters have webhook endpoints")


class EndpointNotFound(NotFound):
    """There is no such endpoint, or it is somebody else's."""

    code = "WEBHOOK_ENDPOINT_NOT_FOUND"
    default_message = _("Webhook endpoint not found")


class EndpointInvalid(Invalid):
    """The endpoint cannot be as asked."""

    code = "WEBHOOK_ENDPOINT_INVALID"
    default_message = _("The webhook endpoint is not valid")


class UrlRefused(EndpointInvalid):
    """The platform does not send anything to this address."""

    code = "WEBHOOK_URL_REFUSED"
    default_message = _("The URL is refused")


class EndpointDisabled(Conflict):
    """Nothing is sent to this endpoint until it is enabled."""

    code = "WEBHOOK_ENDPOINT_DISABLED"
    default_message = _("The endpoint is disabled; enable it first")


class TooManyEndpoints(Conflict):
    """The owner has as many endpoints as one may have."""

    code = "TOO_MANY_WEBHOOK_ENDPOINTS"
    default_message = _("There are too many endpoints already; delete one first")


class TooManySecrets(Conflict):
    """As many old secrets as one endpoint may have still sign."""

    code = "TOO_MANY_WEBHOOK_SECRETS"
    default_message = _("Too many old secrets still sign; rotate again when the first of them ends")


class DeliveryNotFound(NotFound):
    """There is no such delivery, or it is somebody else's."""

    code = "WEBHOOK_DELIVERY_NOT_FOUND"
    default_message = _("Webhook delivery not found")


class DeliveryPending(Conflict):
    """It is on its way already."""

    code = "WEBHOOK_DELIVERY_PENDING"
    default_message = _("The delivery is still being tried")
