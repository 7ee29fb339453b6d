"""What the platform says and keeps in English, in the words of the page's user.

The domain, its audit trail and the API speak English: a refusal is part of a contract, and what is kept must read the
same for everybody. Where a page shows such a text, ``translated`` looks it up. A sentence with something filled in is
found by its pattern, which has to be named here; a test compares these with what the domain says.
"""

import re
from collections.abc import Iterable

from django.utils.translation import gettext, gettext_noop

# States, kinds and reasons as rows have them.
STATES = (
    *(gettext_noop("open"), gettext_noop("inactive"), gettext_noop("deleted"), gettext_noop("active")),
    *(gettext_noop("pending"), gettext_noop("running"), gettext_noop("ended"), gettext_noop("out")),
    *(gettext_noop("void"), gettext_noop("paid"), gettext_noop("left"), gettext_noop("refunded")),
    *(gettext_noop("live"), gettext_noop("revoked"), gettext_noop("expired"), gettext_noop("waits")),
    *(gettext_noop("deposit"), gettext_noop("withdrawal"), gettext_noop("closed"), gettext_noop("failed")),
    *(gettext_noop("success"), gettext_noop("settled"), gettext_noop("requested"), gettext_noop("approved")),
    *(gettext_noop("rejected"), gettext_noop("entry fee"), gettext_noop("refund"), gettext_noop("prize")),
    *(gettext_noop("pot pay"), gettext_noop("pot fee"), gettext_noop("pot earn"), gettext_noop("pot close")),
    *(gettext_noop("delivered"), gettext_noop("dead"), gettext_noop("client"), gettext_noop("master")),
    *(gettext_noop("platform"), gettext_noop("mute"), gettext_noop("ban"), gettext_noop("the platform")),
    *(gettext_noop("the operator"), gettext_noop("opened"), gettext_noop("started"), gettext_noop("none given")),
    *(gettext_noop("not enough participants"), gettext_noop("no result by the deadline")),
    *(gettext_noop("The endpoint was disabled"), gettext_noop("The answer was no valid HTTP")),
    *(gettext_noop("No connection could be made"), gettext_noop("The connection broke")),
    *(gettext_noop("unmute"), gettext_noop("kick"), gettext_noop("unban"), gettext_noop("delete message")),
    *(gettext_noop("restore message"), gettext_noop("edit message"), gettext_noop("report")),
    *(gettext_noop("resolve report"), gettext_noop("delete room"), gettext_noop("deactivate room")),
    *(gettext_noop("activate room"), gettext_noop("The name"), gettext_noop("join_window_seconds")),
    *(gettext_noop("run_seconds"), gettext_noop("tenant"), gettext_noop("by its owner, over the API")),
)

# What the audit trail calls an act. Those with one plain name are found where they are recorded.
ACTS = (
    *(gettext_noop("room switched on"), gettext_noop("room switched off"), gettext_noop("room edited")),
    *(gettext_noop("deposit requested"), gettext_noop("withdrawal requested"), gettext_noop("deposit made")),
    *(gettext_noop("withdrawal made"), gettext_noop("deposit approved"), gettext_noop("withdrawal approved")),
    *(gettext_noop("deposit rejected"), gettext_noop("withdrawal rejected"), gettext_noop("token frozen")),
    *(gettext_noop("token released"), gettext_noop("room edited, from the next session on")),
    # An act of the chat's moderators; what a form added, changed or removed.
    *(gettext_noop("chat: %(act)s"), gettext_noop("%(what)s added"), gettext_noop("%(what)s changed")),
    gettext_noop("%(what)s deleted"),
)

# What refusals, and failed attempts to reach a webhook, say.
SENTENCES = (
    gettext_noop("%(label)s must not be empty"),
    gettext_noop("%(label)s must have at most %(max)s characters"),
    gettext_noop("%(label)s must not contain control or invisible characters"),
    gettext_noop("The amount must have at most %(decimals)s decimal places"),
    gettext_noop("Unknown key scopes: %(scopes)s"),
    gettext_noop("The URL must be plain ASCII of at most %(max)s characters"),
    gettext_noop("The URL's port must be %(ports)s"),
    gettext_noop("Event types that this owner has none of: %(types)s"),
    gettext_noop("by the API key %(key)s"),
    gettext_noop("No answer within %(seconds)s s"),
    gettext_noop("Every attempt of %(days)s days has failed"),
    gettext_noop(
        "Above %(amount)s %(symbol)s an adjustment takes two people: ask for it in the back-office, and somebody else"
        " approves it"
    ),
    gettext_noop("This request was %(state)s already"),
    gettext_noop("A game room must have between 1 and %(max)s prizes"),
    gettext_noop("Rank must be sequential starting from 1, but got rank %(rank)s at position %(position)s"),
    gettext_noop("Percent of rank %(rank)s must have at most 2 decimal places"),
    gettext_noop("Percent of rank %(rank)s must be greater than 0 and at most 100"),
    gettext_noop("Percent must decrease with rank, but rank %(rank)s does not"),
    gettext_noop("Total percent of prizes must equal 100, but is %(total)s"),
    gettext_noop("Game room participation amount must not be greater than %(amount)s"),
    gettext_noop("Game room max participants must not be greater than %(max)s"),
    gettext_noop("Game room %(term)s must be between 1 and %(max)s"),
    gettext_noop("The books are still wrong: %(invariant)s %(where)s: %(what)s"),
    gettext_noop("The session is %(state)s and cannot become %(to)s"),
    gettext_noop("The session is no longer %(state)s"),
)
# What Django calls the permissions that it makes, and ours.
PERMISSIONS = (
    *(gettext_noop("Can add %(what)s"), gettext_noop("Can change %(what)s"), gettext_noop("Can delete %(what)s")),
    *(gettext_noop("Can view %(what)s"), gettext_noop("Can freeze and unfreeze user")),
)

# How objects without a name of their own are called.
NAMES = (
    *(gettext_noop("session %(number)s (%(state)s)"), gettext_noop("participant %(number)s (%(state)s)")),
    *(gettext_noop("transfer %(number)s (%(code)s)"), gettext_noop("%(kind)s account %(number)s")),
    *(gettext_noop("%(kind)s request %(number)s (%(state)s)"), gettext_noop("deposit %(id)s")),
    *(gettext_noop("withdrawal %(id)s"), gettext_noop("job %(id)s"), gettext_noop("pot %(number)s")),
    *(gettext_noop("game %(number)s"), gettext_noop("contest %(number)s"), gettext_noop("round %(number)s")),
    *(gettext_noop("entry %(number)s"), gettext_noop("access of game %(number)s")),
    *(gettext_noop("delivery %(number)s (%(state)s)"), gettext_noop("audit entry %(number)s")),
    *(gettext_noop("moderation act %(number)s"), gettext_noop("mute of %(user)s"), gettext_noop("ban of %(user)s")),
    gettext_noop("%(list)s as %(format)s"),
)
_PLACE = re.compile(r"%\((\w+)\)s")
_FILLED = {"number": r"\d+", "id": r"[0-9a-f-]{36}", "list": r"\w+\.\w+", "format": "[A-Z]+"}


def _patterns(sentences: Iterable[str]) -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for sentence in sentences:
        pieces = _PLACE.split(sentence)
        made = [
            f"(?P<{piece}>{_FILLED.get(piece, '.+')})" if index % 2 else re.escape(piece)
            for index, piece in enumerate(pieces)
        ]
        found.append((sentence, re.compile("".join(made), re.DOTALL)))
    return found


_SENTENCES, _NAMES = (
    _patterns(text for text in (*ACTS, *SENTENCES, *PERMISSIONS) if _PLACE.search(text)),
    _patterns(NAMES),
)


def translated(text: str) -> str:
    """An English text of the platform in the language of the page; one that nobody has named stays as it is."""
    found = gettext(text) if text else ""
    return found if found != text else _filled(text, _SENTENCES)


def named(thing: object) -> str:
    """What an object is called in the language of the page; what people have named keeps its name."""
    return _filled(str(thing), _NAMES)


def _filled(text: str, patterns: list[tuple[str, re.Pattern[str]]]) -> str:
    for sentence, pattern in patterns:
        match = pattern.fullmatch(text)
        if match:
            return gettext(sentence) % {name: translated(part) for name, part in match.groupdict().items()}
    return text


class Tones(dict[str, str]):
    """The tones of a column of badges, by what the badge says in English; the theme asks by what it shows."""

    def __contains__(self, shown: object) -> bool:
        return any(translated(text) == shown for text in self.keys())

    def __getitem__(self, shown: str) -> str:
        return next(tone for text, tone in self.items() if translated(text) == shown)
