"""The objects of the accounts' answers."""

from core.wire.openapi import ID
from core.wire.outputs import TEXT, Output, value

GAME = Output("GameOutput", id=value(ID), name=value(TEXT), symbol=value(TEXT))
