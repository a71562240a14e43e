"""Codes of errors about bookings, series, imports and exports."""

from meeting_rooms.kernel.error_codes import ErrorCode


class BookingErrorCode(ErrorCode):
    """Codes of errors about bookings, series, imports and exports."""

    SLOT_TAKEN = (
        "slot_taken",
        "Another booking takes a part of the time. `taken` lists the taken intervals.",
    )
    SLOT_HELD = (
        "slot_held",
        "Another person holds a part of the time. `held_until` says until when.",
    )
    SLOT_IS_FREE = "slot_is_free", "The slot is free. Book the slot instead of waiting for it."
    OUT_OF_SERVICE = "out_of_service", "The room is out of service for a part of the time."
    STALE_VERSION = (
        "stale_version",
        "The booking was changed after the caller read it. `changed` lists the differences.",
    )
    AGAINST_THE_RULES = (
        "against_the_rules",
        "The booking breaks rules of the room. `refusals` lists each of them.",
    )
    IN_THE_PAST = (
        "in_the_past",
        "The time is over, or the start is further in the past than the room allows.",
    )
    ALREADY_OVER = "already_over", "The booking is over and cannot change."
    ALREADY_STARTED = "already_started", "The booking has started. Only its end can change."
    TOO_LONG = "too_long", "The booking is longer than the room or the system allows."
    TOO_SHORT = "too_short", "The booking is shorter than the room allows."
    LENGTH_NOT_IN_STEPS = (
        "length_not_in_steps",
        "The length is not a multiple of the step of the room.",
    )
    START_NOT_IN_STEPS = (
        "start_not_in_steps",
        "The start is not on a step, counted from the opening time.",
    )
    TOO_SHORT_NOTICE = (
        "too_short_notice",
        "The booking starts too soon. The room must be booked earlier.",
    )
    TOO_FAR_AHEAD = "too_far_ahead", "The time is after the advance window of the room."
    OUTSIDE_OPENING_HOURS = "outside_opening_hours", "The room is closed for a part of the time."
    GAP_TOO_SHORT = (
        "gap_too_short",
        "Too little time stays free before or after a neighbouring booking.",
    )
    GAP_LEAVES_HOURS = "gap_leaves_hours", "The gap after the booking would end after closing time."
    DAY_TAKEN = "day_taken", "The room takes one booking a day, and this day has one."
    OVER_CAPACITY = "over_capacity", "There are more attendees than seats in the room."
    NOT_BOOKABLE_BY_YOU = (
        "not_bookable_by_you",
        "Only listed people, or only room managers, may book this room.",
    )
    QUOTA_OF_BOOKINGS = (
        "quota_of_bookings",
        "The person has used the number of bookings that a quota allows.",
    )
    QUOTA_OF_MINUTES = "quota_of_minutes", "The person has used the minutes that a quota allows."
    NEEDS_APPROVAL = "needs_approval", "The change needs the approval of a room manager."
    NOT_PENDING = "not_pending", "The booking does not wait for approval."
    NOT_ACTIVE = (
        "not_active",
        "The booking cannot be checked in: it is cancelled, released or not confirmed.",
    )
    NOT_RUNNING = "not_running", "The booking is not running, so it cannot end early."
    NOT_CANCELLABLE = "not_cancellable", "A booking in this state cannot be cancelled."
    NOT_CHANGEABLE = "not_changeable", "A booking in this state cannot change."
    RELEASED = "released", "The booking was released because it was not checked in in time."
    TOO_EARLY = "too_early", "Check-in is not open yet. `opens_at` says when it opens."
    NOTHING_TO_UNDO = "nothing_to_undo", "The booking was neither cancelled nor released."
    TOO_LATE_TO_UNDO = (
        "too_late_to_undo",
        "A cancellation or release can be undone for a few minutes only.",
    )
    SAME_BOOKING = "same_booking", "Two different bookings are needed to swap rooms."
    ROOMS_OVERLAP = "rooms_overlap", "Two of the rooms are parts of one hall and share its floor."
    HOLD_OVER = "hold_over", "The hold has expired or was released."
    TOO_MANY_HOLDS = "too_many_holds", "The person has the maximum number of holds."
    TOO_MANY_WAITING = (
        "too_many_waiting",
        "The person has the maximum number of waitlist entries.",
    )
    BOOKINGS_AFFECTED = (
        "bookings_affected",
        "Bookings overlap the closure. Choose for each booking what happens to it.",
    )
    BOOKING_NAMED_TWICE = "booking_named_twice", "The request names one booking twice."
    BAD_REASON = "bad_reason", "A reason is empty or too long."
    PART_NAMED_TWICE = "part_named_twice", "The request names one part of a hall twice."
    PART_OF_ANOTHER_HALL = "part_of_another_hall", "The room is a part of another hall."
    BAD_CELLS = "bad_cells", "The cells of a hall or of its parts are out of range."
    NOT_AT_THE_DOOR = "not_at_the_door", "The rules of the room do not allow a booking at the door."
    WRONG_LENGTH = "wrong_length", "The length of a booking at the door is out of range."
    WHICH_ROOM = "which_room", "The device has several rooms. Name one of them."
    TITLE_TOO_LONG = "title_too_long", "The title is longer than the maximum."
    TITLE_NOT_TEXT = "title_not_text", "The title has characters that cannot be shown."
    BAD_IDEMPOTENCY_KEY = (
        "bad_idempotency_key",
        "The Idempotency-Key is empty, too long, or not printable.",
    )
    IDEMPOTENCY_KEY_REUSED = (
        "idempotency_key_reused",
        "The Idempotency-Key was used for another request. Use a new key.",
    )
    PERIOD_TOO_LONG = (
        "period_too_long",
        "The request asks for a period that is longer than the maximum.",
    )
    TOO_MANY_BOOKINGS = (
        "too_many_bookings",
        "The answer would have more bookings than the maximum.",
    )
    BAD_ZONE = "bad_zone", "The time zone of an import is not an IANA name."
    UNKNOWN_ZONE = "unknown_zone", "There is no such time zone in the IANA database."
    BAD_DATE = "bad_date", "A date is not written as YYYY-MM-DD."
    BAD_TIME = "bad_time", "A time cannot be read."
    BAD_DATE_FORMAT = "bad_date_format", "The date format of the import cannot be used."
    BAD_VALUE = "bad_value", "A value of a table cannot be read."
    BAD_ADDRESS = "bad_address", "The address is not an http or https address that can be fetched."
    PRIVATE_ADDRESS = "private_address", "The address leads into a private network."
    ADDRESS_UNREACHABLE = "address_unreachable", "The host of the address did not answer."
    TOO_SLOW = "too_slow", "The host of the address answered too slowly."
    TOO_MANY_REDIRECTS = "too_many_redirects", "The address redirects too often."
    ENCODED_ANSWER = (
        "encoded_answer",
        "The host of the address sent a compressed answer, which was not requested.",
    )
    NO_CALENDAR = "no_calendar", "The answer of the address is not a calendar."
    WRONG_CONTENT_TYPE = (
        "wrong_content_type",
        "The operation does not accept the content type of the request.",
    )
    FILE_TOO_LARGE = "file_too_large", "The file is larger than the maximum of an import."
    NOT_UTF8 = "not_utf8", "The file is not UTF-8 text."
    UNREADABLE_CALENDAR = "unreadable_calendar", "The file is not a calendar that can be read."
    UNREADABLE_TABLE = "unreadable_table", "The file is not a table that can be read."
    UNREADABLE_FILE = "unreadable_file", "The file cannot be opened or read."
    MISSING_COLUMN = "missing_column", "The table lacks a column that the import needs."
    TOO_MANY_COMPONENTS = (
        "too_many_components",
        "The calendar has more components than the maximum of an import.",
    )
    TOO_MANY_ENTRIES = (
        "too_many_entries",
        "The file has more entries than the maximum of one request.",
    )
    TOO_MANY_ROWS = "too_many_rows", "The table has more rows than the maximum of an import."
    TOO_MANY_DATES = "too_many_dates", "The calendar has more dates than the maximum of an import."
    BAD_EVENT = "bad_event", "An event of the calendar cannot be read."
    NO_UID = "no_uid", "An event of the calendar has no UID."
    REPEATED_UID = "repeated_uid", "Several events of the calendar have the same UID."
    REPEATED_ROW = "repeated_row", "Several rows of the table describe the same booking."
    BOOKED_HERE = (
        "booked_here",
        "The row describes a booking that was made in Meeting Rooms and not in another program.",
    )
    NO_ROOM = "no_room", "The event or row names no room."
    SERIES_REFUSED = (
        "series_refused",
        "The recurring event was refused, so this date was refused too.",
    )
    UNSUPPORTED_RANGE = (
        "unsupported_range",
        "Changes with RANGE=THISANDFUTURE (this and all future dates) are not supported.",
    )
    UNKNOWN_FEED = "unknown_feed", "There is no feed with this address."
    SERIES_CLASHES = (
        "series_clashes",
        "Dates of the series cannot be booked. `refused` lists each of them.",
    )
    SERIES_TOO_LONG = (
        "series_too_long",
        "The series has more dates than the maximum of the room or of an import.",
    )
    BEYOND_HORIZON = (
        "beyond_horizon",
        "Dates of the series are after the advance window of the room.",
    )
    OVERLAPS_ITSELF = "overlaps_itself", "A date of the series overlaps the next one."
    NO_OCCURRENCE = "no_occurrence", "The RRULE gives no date."
    ENDLESS_RULE = "endless_rule", "The RRULE has no end, and no other limit applies."
    COUNT_AND_UNTIL = "count_and_until", "The RRULE has both COUNT and UNTIL."
    FINER_THAN_A_DAY = "finer_than_a_day", "The RRULE repeats more often than once a day."
    RULE_NOT_READABLE = "rule_not_readable", "The text is not an RRULE of RFC 5545."
    RULE_PART_NOT_ALLOWED = (
        "rule_part_not_allowed",
        "A part of the RRULE is not allowed with its frequency.",
    )
    RULE_PART_UNKNOWN = "rule_part_unknown", "The RRULE has a part that is not in RFC 5545."
    RULE_TOO_LONG = "rule_too_long", "The RRULE is longer than the maximum."
    RULE_VALUE_INVALID = "rule_value_invalid", "A value of the RRULE is out of range."
    START_NOT_POSSIBLE = "start_not_possible", "The series cannot begin at this start."
    NOT_A_DATE_OF_THE_SERIES = "not_a_date_of_the_series", "The series has no such date."
    DATE_IS_BOOKED = "date_is_booked", "The date of the series is booked already."
    NOTHING_TO_COME = "nothing_to_come", "The series has no future dates."
    NOTHING_BEFORE = "nothing_before", "No date of the series is before the given date."
    NOTHING_AFTER = "nothing_after", "No date of the series is on or after the given date."
