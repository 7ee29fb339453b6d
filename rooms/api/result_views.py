"""`POST /api/v1/game-rooms/sessions/{id}/result`: the game's server posts the ranking, signed (contract: rooms)."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.signed import IsKey, ResultsKeyAuthentication
from accounts.models import ApiKey
from core.wire.fields import ID_MAX, iso_ms
from core.wire.nest import NestView, ok
from core.wire.throttles import throttle_for
from rooms import results
from rooms.api import schema
from rooms.api.serializers import ResultInput
from rooms.errors import SessionNotFound


class ResultView(NestView):
    """The ranking of a running session of a game that its own server decides; once."""

    authentication_classes = [ResultsKeyAuthentication]
    permission_classes = [IsKey]
    write_throttle = throttle_for("writes", fail_open=False)

    @schema.submit_result
    def post(self, request: Request, session_id: str) -> Response:
        body = ResultInput(data=request.data)
        body.is_valid(raise_exception=True)
        key = request.auth
        assert isinstance(key, ApiKey)
        if int(session_id) > ID_MAX:
            raise SessionNotFound()
        result = results.submit_result(
            session_id=int(session_id), ranking=body.validated_data["ranking"], key=key, now=self.now
        )
        data = {"session_id": result.pk, "ranking": result.ranking, "submitted_at": iso_ms(result.submitted_at)}
        return ok("Game session result submitted successfully", data=data, status=201)
