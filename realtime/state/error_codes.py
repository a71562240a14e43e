"""Codes of refusals on the live socket."""

from meeting_rooms.kernel.error_codes import ErrorCode


class LiveErrorCode(ErrorCode):
    """Codes of refusals on the live socket."""

    BAD_FRAME = "bad_frame", "The frame is not JSON of a known type, or a member is wrong."
    FRAME_TOO_LARGE = "frame_too_large", "The frame is larger than the server reads."
    TOO_MANY_FRAMES = "too_many_frames", "The connection sends more frames than a minute allows."
    BAD_TOPIC = "bad_topic", "The topic has no known form."
    TOO_MANY_TOPICS = (
        "too_many_topics",
        "The connection follows as many topics as one connection may.",
    )
    BAD_VIEW = "bad_view", "There is no view of this name."
    BAD_LANGUAGE = "bad_language", "There is no such language."
    TOO_MANY_CONNECTIONS = (
        "too_many_connections",
        "Too many sockets are open in this process, or by this caller.",
    )
    TOO_MANY_FROM_ADDRESS = (
        "too_many_from_address",
        "Too many sockets are open from this network address.",
    )
    SIGNED_OUT = "signed_out", "The session or token ended while the socket was open."
