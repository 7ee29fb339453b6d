"""What the platform says and keeps in English, in the words of the page's user.

The domain, its audit trail and the API speak English: a refusal is part of a contract, and what is kept must read the
same for everybody. Where a page shows such a text, ``translated`` looks it up. A sentence with something filled in is
found by its pattern, which has to be named here; a test compares these with what the domain says.
"""

import re

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
)

# What the audit trail calls an act. Those with one plain name are found where they are recorded.
ACTS = (
    *(gettext_noop("room switched on"), gettext_noop("room switched off"), gettext_noop("room edited")),
    *(gettext_noop("deposit requested"), gettext_noop("withdrawal requested"), gettext_noop("deposit made")),
    *(gettext_noop("withdrawal made"), gettext_noop("deposit approved"), gettext_noop("withdrawal approved")),
    *(gettext_noop("deposit rejected"), gettext_noop("withdrawal rejected"), gettext_noop("token frozen")),
    *(gettext_noop("token released"), gettext_noop("room edited, from the next session on")),
)

SENTENCES = (
    gettext_noop("%(label)s must not be empty"),
    gettext_noop("%(label)s must have at most %(max)s characters"),
    gettext_noop("%(label)s must not contain control or invisible characters"),
    gettext_noop("The amount must have at most %(decimals)s decimal places"),
    gettext_noop("Unknown key scopes: %(scopes)s"),
    gettext_noop("The URL must be plain ASCII of at most %(max)s characters"),
    gettext_noop("The URL's port must be %(ports)s"),
    gettext_noop("Event types that this owner has none of: %(types)s"),
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
    gettext_noop("chat: %(act)s"),
    gettext_noop("%(what)s added"),
    gettext_noop("%(what)s changed"),
    gettext_noop("%(what)s deleted"),
)
_PLACE = re.compile(r"%\((\w+)\)s")


def _pattern(sentence: str) -> re.Pattern[str]:
    pieces = _PLACE.split(sentence)
    made = [f"(?P<{piece}>.+)" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces)]
    return re.compile("".join(made), re.DOTALL)


_PATTERNS = [(sentence, _pattern(sentence)) for sentence in SENTENCES]


def translated(text: str) -> str:
    """An English text of the platform in the language of the page; one that nobody has named stays as it is."""
    found = gettext(text) if text else ""
    if found != text:
        return found
    for sentence, pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            return gettext(sentence) % {name: translated(part) for name, part in match.groupdict().items()}
    return text
