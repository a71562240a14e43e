"""Codes of refusals about people, devices and sign-in."""

from meeting_rooms.kernel.error_codes import ErrorCode


class IdentityErrorCode(ErrorCode):
    """Codes of refusals about people, devices and sign-in."""

    BAD_NAME = "bad_name", "A name is empty, too long, or has characters that cannot be shown."
    NOT_FOR_DEVICES = "not_for_devices", "Only a person may do this, not a device."
    ONLY_FOR_DEVICES = "only_for_devices", "Only a device at a door may do this."
    WRONG_NUMBER_OF_ROOMS = (
        "wrong_number_of_rooms",
        "The number of rooms is outside its bounds, or a room is named twice.",
    )
    LAST_ADMIN = "last_admin", "The change would leave no active admin."
    SIGN_IN_BUSY = (
        "sign_in_busy",
        "The server is checking too many passwords at once. Try again after a few seconds.",
    )
    TOO_MANY_SIGN_INS = (
        "too_many_sign_ins",
        "Too many wrong passwords for this account or from this address. Wait, then try again.",
    )
