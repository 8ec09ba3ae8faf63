"""Channels of programs, and the statuses that their members go through."""

from typing import NamedTuple


class Status(NamedTuple):
    """One status of a channel. step: members only move up; success: whether reaching it counts."""

    id: int
    name: str
    step: int
    success: bool


class Channel(NamedTuple):
    """One channel. program_type: of programs, as Get Channels names it; statuses: by name, in order of their steps."""

    id: int
    name: str
    program_type: str
    statuses: dict[str, Status]


OUTSIDE = Status(0, "Not in Program", 0, success=False)
"""The status of who is no member."""


def _channel(id_: int, name: str, program_type: str, *names: str, success: str) -> Channel:
    steps = enumerate(names, 1)
    statuses = {word: Status(10 * id_ + step, word, 10 * step, word == success) for step, word in steps}
    return Channel(id_, name, program_type, statuses)


_ALL = (
    _channel(1, "Nurture", "nurture", "Member", "Engaged", "Influenced", success="Influenced"),
    _channel(
        2,
        "Webinar",
        "event_webinar",
        "Invited",
        "Registered",
        "No Show",
        "Attended",
        "Attended On-demand",
        success="Attended",
    ),
    _channel(3, "Email Send", "email_batch", "Sent", "Opened", "Clicked", "Unsubscribed", success="Clicked"),
    _channel(4, "Roadshow", "event", "Invited", "Registered", "Visited Booth", success="Visited Booth"),
)
CHANNELS: dict[str, Channel] = {channel.name: channel for channel in _ALL}
