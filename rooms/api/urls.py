"""Routes below /api/v1; a trailing slash is optional on each."""

from django.urls import re_path

from rooms.api import join_views, result_views, room_views, session_views

SESSION = r"^game-rooms/sessions/(?P<session_id>[1-9][0-9]{0,18})"

urlpatterns = [
    re_path(r"^game-rooms/?$", room_views.GameRoomsView.as_view(), name="game-rooms"),
    re_path(r"^game-rooms/find-by-id/?$", room_views.GameRoomView.as_view(), name="game-room"),
    re_path(r"^game-rooms/ticket/?$", room_views.TicketView.as_view(), name="game-rooms-ticket"),
    re_path(SESSION + r"/?$", session_views.SessionView.as_view(), name="game-session"),
    re_path(SESSION + r"/results/?$", session_views.ResultsView.as_view(), name="game-session-results"),
    re_path(SESSION + r"/score/?$", session_views.ScoreView.as_view(), name="game-session-score"),
    re_path(SESSION + r"/result/?$", result_views.ResultView.as_view(), name="game-session-result"),
    re_path(SESSION + r"/proof/?$", session_views.ProofView.as_view(), name="game-session-proof"),
    re_path(r"^game-join-rooms/?$", join_views.GameJoinRoomsView.as_view(), name="game-join-rooms"),
    re_path(r"^game-join-rooms/leave/?$", join_views.LeaveView.as_view(), name="leave"),
    re_path(r"^game-join-rooms/joiners/?$", join_views.JoinersView.as_view(), name="joiners"),
    re_path(r"^game-join-rooms/joiner/?$", join_views.JoinerView.as_view(), name="joiner"),
    re_path(r"^game-join-rooms/by-room/?$", join_views.ByRoomView.as_view(), name="by-room"),
    re_path(r"^game-join-rooms/joiner-by-room/?$", join_views.OwnByRoomView.as_view(), name="joiner-by-room"),
    re_path(r"^game-join-rooms/joiners-refund/?$", join_views.JoinersRefundView.as_view(), name="joiners-refund"),
    re_path(r"^game-join-rooms/expired-sessions/?$", join_views.ExpiredSessionsView.as_view(), name="expired-sessions"),
    re_path(r"^game-join-rooms/process-refund/?$", join_views.ProcessRefundView.as_view(), name="process-refund"),
    re_path(
        r"^game-join-rooms/check-new-session/?$", join_views.CheckNewSessionView.as_view(), name="check-new-session"
    ),
]
