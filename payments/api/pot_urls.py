"""Mounted under ``/api/``: the base address that a PLYR client is given."""

from django.urls import re_path

from payments.api import players, pots

SEGMENT = "[^/]{1,200}"

urlpatterns = [
    re_path(r"^game/create/?$", pots.CreateView.as_view(), name="pot-create"),
    re_path(r"^game/join/?$", pots.JoinView.as_view(), name="pot-join"),
    re_path(r"^game/leave/?$", pots.LeaveView.as_view(), name="pot-leave"),
    re_path(r"^game/pay/?$", pots.PayView.as_view(), name="pot-pay"),
    re_path(r"^game/earn/?$", pots.EarnView.as_view(), name="pot-earn"),
    re_path(r"^game/end/?$", pots.EndView.as_view(), name="pot-end"),
    re_path(r"^game/close/?$", pots.CloseView.as_view(), name="pot-close"),
    re_path(r"^game/createJoinPay/?$", pots.CreateJoinPayView.as_view(), name="pot-create-join-pay"),
    re_path(r"^game/joinPay/?$", pots.JoinPayView.as_view(), name="pot-join-pay"),
    re_path(r"^game/earnLeave/?$", pots.EarnLeaveView.as_view(), name="pot-earn-leave"),
    re_path(r"^game/earnLeaveEnd/?$", pots.EarnLeaveEndView.as_view(), name="pot-earn-leave-end"),
    re_path(r"^game/isJoined/?$", pots.IsJoinedView.as_view(), name="pot-is-joined"),
    re_path(rf"^game/room/(?P<room_id>{SEGMENT})/?$", pots.RoomView.as_view(), name="pot-room"),
    re_path(rf"^task/status/(?P<task_id>{SEGMENT})/?$", pots.TaskView.as_view(), name="pot-task"),
    re_path(r"^game/approve/?$", players.ApproveView.as_view(), name="player-approve"),
    re_path(r"^game/revoke/?$", players.RevokeView.as_view(), name="player-revoke"),
    re_path(
        rf"^game/allowance/(?P<plyr_id>{SEGMENT})/(?P<game_id>{SEGMENT})/(?P<token>{SEGMENT})/?$",
        players.AllowanceView.as_view(),
        name="player-allowance",
    ),
    re_path(r"^user/login/?$", players.LoginView.as_view(), name="player-login"),
    re_path(r"^user/loginAndApprove/?$", players.LoginAndApproveView.as_view(), name="player-login-approve"),
    re_path(r"^user/logout/?$", players.LogoutView.as_view(), name="player-logout"),
    re_path(r"^user/session/verify/?$", players.VerifySessionView.as_view(), name="player-session-verify"),
    re_path(rf"^user/balance/(?P<plyr_id>{SEGMENT})/?$", players.BalanceView.as_view(), name="player-balances"),
    re_path(
        rf"^user/balance/(?P<plyr_id>{SEGMENT})/(?P<token>{SEGMENT})/?$",
        players.BalanceView.as_view(),
        name="player-balance",
    ),
    re_path(rf"^user/info/(?P<plyr_id>{SEGMENT})/?$", players.InfoView.as_view(), name="player-info"),
    re_path(rf"^user/exists/(?P<text>{SEGMENT})/?$", players.ExistsView.as_view(), name="player-exists"),
    re_path(r"^instantPlayPass/register/?$", players.RegisterGuestView.as_view(), name="guest-register"),
    re_path(r"^jwt/publicKey/?$", players.PublicKeyView.as_view(), name="session-public-key"),
    re_path(r"^tokenlist/?$", players.TokenListView.as_view(), name="token-list"),
    re_path(r"^now/?$", players.NowView.as_view(), name="now"),
]
