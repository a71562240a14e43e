"""Codes of refusals on the live socket."""

from meeting_rooms.kernel.error_codes import ErrorCode


class LiveErrorCode(ErrorCode):
    """Codes of refusals on the live socket."""

    BAD_FRAME = "bad_frame", "The frame is not JSON of a known type, or a member is invalid."
    FRAME_TOO_LARGE = "frame_too_large", "The frame is larger than the maximum."
    TOO_MANY_FRAMES = (
        "too_many_frames",
        "The connection sent more frames in one minute than allowed.",
    )
    BAD_TOPIC = "bad_topic", "The topic has none of the four known forms."
    TOO_MANY_TOPICS = (
        "too_many_topics",
        "The connection already follows the maximum number of topics.",
    )
    BAD_VIEW = "bad_view", "There is no view of this name."
    BAD_LANGUAGE = "bad_language", "There is no such language."
    TOO_MANY_CONNECTIONS = (
        "too_many_connections",
        "Too many sockets are open in this process, or with this sign-in or token.",
    )
    TOO_MANY_FROM_ADDRESS = (
        "too_many_from_address",
        "Too many sockets are open from this network address.",
    )
    SIGNED_OUT = "signed_out", "The session or token ended while the socket was open."
