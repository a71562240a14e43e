"""Codes of refusals about places and policies."""

from meeting_rooms.kernel.error_codes import ErrorCode


class RoomsErrorCode(ErrorCode):
    """Codes of refusals about places and policies."""

    AMBIGUOUS_ROOM = "ambiguous_room", "Several rooms have this name. Name the building, too."
    UNKNOWN_ROOM = "unknown_room", "No room has this name."
    NAME_TOO_LONG = "name_too_long", "A name is longer than the system stores."
    NO_BUILDING = "no_building", "The name of a room does not say which building it is in."
    UNKNOWN_RULE = "unknown_rule", "No rule has this name."
    UNKNOWN_PERSON = "unknown_person", "A policy names a person who does not exist."
    IMPOSSIBLE_POLICY = (
        "impossible_policy",
        "The values of a policy contradict each other or are out of their bounds.",
    )
    STALE_POLICY = "stale_policy", "The policy was changed since the caller read it."
    TOO_MANY_EXCEPTIONS = (
        "too_many_exceptions",
        "A policy would have more exceptions than the maximum.",
    )
    IMPOSSIBLE_PLACE = (
        "impossible_place",
        "The values of a building, floor or room cannot be stored.",
    )
    OTHER_BUILDING = "other_building", "The floor or the policy belongs to another building."
    PLACE_IN_USE = (
        "place_in_use",
        "Bookings, rooms or floors depend on this place, so it cannot be deleted.",
    )
    ZONE_HAS_A_COMMAND = (
        "zone_has_a_command",
        "A time zone can only be changed by its own command, because bookings depend on it.",
    )
