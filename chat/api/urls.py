"""Mounted at ``/api/v1/``. The trailing slash is optional everywhere."""

from django.urls import URLPattern, re_path

from chat.api import messages, moderation, rooms

ROOM = r"^rooms/(?P<room_id>[^/]+)"
MESSAGE = r"^messages/(?P<message_id>[^/]+)"

urlpatterns: list[URLPattern] = [
    re_path(r"^rooms/?$", rooms.RoomsView.as_view(), name="chat-rooms"),
    re_path(rf"{ROOM}/?$", rooms.RoomView.as_view(), name="chat-room"),
    re_path(rf"{ROOM}/deactivate/?$", rooms.DeactivationView.as_view(), name="chat-room-deactivate"),
    re_path(rf"{ROOM}/activate/?$", rooms.ActivationView.as_view(), name="chat-room-activate"),
    re_path(rf"{ROOM}/join/?$", rooms.JoinView.as_view(), name="chat-room-join"),
    re_path(rf"{ROOM}/leave/?$", rooms.LeaveView.as_view(), name="chat-room-leave"),
    re_path(rf"{ROOM}/participants/?$", rooms.ParticipantsView.as_view(), name="chat-room-participants"),
    re_path(rf"{ROOM}/online/?$", rooms.OnlineView.as_view(), name="chat-room-online"),
    re_path(rf"{ROOM}/ticket/?$", rooms.TicketView.as_view(), name="chat-room-ticket"),
    re_path(rf"{ROOM}/messages/?$", messages.RoomMessagesView.as_view(), name="chat-room-messages"),
    re_path(rf"{ROOM}/mute/?$", moderation.MuteView.as_view(), name="chat-room-mute"),
    re_path(rf"{ROOM}/unmute/?$", moderation.UnmuteView.as_view(), name="chat-room-unmute"),
    re_path(rf"{ROOM}/kick/?$", moderation.KickView.as_view(), name="chat-room-kick"),
    re_path(rf"{ROOM}/ban/?$", moderation.BanView.as_view(), name="chat-room-ban"),
    re_path(rf"{ROOM}/unban/?$", moderation.UnbanView.as_view(), name="chat-room-unban"),
    re_path(rf"{ROOM}/sanctions/?$", moderation.SanctionsView.as_view(), name="chat-room-sanctions"),
    re_path(r"^messages/search/?$", messages.SearchView.as_view(), name="chat-messages-search"),
    re_path(rf"{MESSAGE}/?$", messages.MessageView.as_view(), name="chat-message"),
    re_path(rf"{MESSAGE}/restore/?$", messages.RestorationView.as_view(), name="chat-message-restore"),
    re_path(rf"{MESSAGE}/report/?$", moderation.ReportView.as_view(), name="chat-message-report"),
    re_path(rf"{MESSAGE}/thread/?$", messages.ThreadView.as_view(), name="chat-message-thread"),
    re_path(rf"{MESSAGE}/thread/summary/?$", messages.ThreadSummaryView.as_view(), name="chat-message-thread-summary"),
]
