"""Codes of refusals about bookings, series, imports and exports."""

from meeting_rooms.kernel.error_codes import ErrorCode


class BookingErrorCode(ErrorCode):
    """Codes of refusals about bookings, series, imports and exports."""

    SLOT_TAKEN = (
        "slot_taken",
        "Another booking takes a part of the time. `taken` lists the intervals.",
    )
    SLOT_HELD = "slot_held", "Another person holds a part of the time while booking it."
    SLOT_IS_FREE = "slot_is_free", "The time is free. Book it instead of waiting for it."
    OUT_OF_SERVICE = "out_of_service", "The room is out of service for a part of the time."
    STALE_VERSION = (
        "stale_version",
        "The booking was changed since the caller read it. `changed` lists the difference.",
    )
    AGAINST_THE_RULES = (
        "against_the_rules",
        "The booking breaks rules of the room. `refusals` lists each of them.",
    )
    IN_THE_PAST = (
        "in_the_past",
        "The time is over, or the start is further back than the room allows.",
    )
    ALREADY_OVER = "already_over", "The booking is over and stays as history."
    ALREADY_STARTED = "already_started", "The booking has started; only its end can change."
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
    TOO_SHORT_NOTICE = "too_short_notice", "The room is booked further ahead than this."
    TOO_FAR_AHEAD = "too_far_ahead", "The time is beyond the advance window of the room."
    OUTSIDE_OPENING_HOURS = "outside_opening_hours", "The room is closed for a part of the time."
    GAP_TOO_SHORT = (
        "gap_too_short",
        "Too little time stays free before or after a neighbouring booking.",
    )
    GAP_LEAVES_HOURS = "gap_leaves_hours", "The gap after the booking would run over closing time."
    DAY_TAKEN = "day_taken", "The room takes one booking a day, and that day has one."
    OVER_CAPACITY = "over_capacity", "More people attend than the room seats."
    NOT_BOOKABLE_BY_YOU = (
        "not_bookable_by_you",
        "Only listed people, or room managers, book this room.",
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
    RELEASED = "released", "The booking was released because no check-in came in time."
    TOO_EARLY = "too_early", "Check-in is not open yet."
    NOTHING_TO_UNDO = "nothing_to_undo", "The booking was neither cancelled nor released."
    TOO_LATE_TO_UNDO = (
        "too_late_to_undo",
        "A cancellation or release can be undone for a few minutes only.",
    )
    SAME_BOOKING = "same_booking", "Two different bookings are needed to swap rooms."
    ROOMS_OVERLAP = "rooms_overlap", "Two of the rooms are parts of one hall and share its floor."
    HOLD_OVER = "hold_over", "The hold has run out or was released."
    TOO_MANY_HOLDS = "too_many_holds", "The person holds as many slots as one person may hold."
    TOO_MANY_WAITING = (
        "too_many_waiting",
        "The person waits for as many slots as one person may wait for.",
    )
    BOOKINGS_AFFECTED = (
        "bookings_affected",
        "Bookings are in the way. Say for each what happens to it.",
    )
    BOOKING_NAMED_TWICE = "booking_named_twice", "The request names one booking twice."
    BAD_REASON = "bad_reason", "A reason is empty or too long."
    PART_NAMED_TWICE = "part_named_twice", "The request names one part of a hall twice."
    PART_OF_ANOTHER_HALL = "part_of_another_hall", "The room is a part of another hall."
    BAD_CELLS = "bad_cells", "The cells of a hall or of its part are out of their bounds."
    NOT_AT_THE_DOOR = "not_at_the_door", "The rules of the room do not allow a booking at the door."
    WRONG_LENGTH = "wrong_length", "A booking at the door has a length outside its bounds."
    WHICH_ROOM = "which_room", "The device has several rooms. Name one of them."
    TITLE_TOO_LONG = "title_too_long", "The title is longer than the system stores."
    TITLE_NOT_TEXT = "title_not_text", "The title holds characters that cannot be shown."
    BAD_IDEMPOTENCY_KEY = (
        "bad_idempotency_key",
        "The Idempotency-Key is empty, too long, or not printable.",
    )
    IDEMPOTENCY_KEY_REUSED = (
        "idempotency_key_reused",
        "The Idempotency-Key was used for another request.",
    )
    PERIOD_TOO_LONG = (
        "period_too_long",
        "The request asks for a longer period than one answer covers.",
    )
    TOO_MANY_BOOKINGS = (
        "too_many_bookings",
        "The answer would hold more bookings than one answer may hold.",
    )
    BAD_ZONE = "bad_zone", "The time zone of an import is no IANA name."
    UNKNOWN_ZONE = "unknown_zone", "No such time zone is known."
    BAD_DATE = "bad_date", "A date is not written as YYYY-MM-DD."
    BAD_TIME = "bad_time", "A time cannot be read."
    BAD_DATE_FORMAT = "bad_date_format", "The date format is not one that can be read back."
    BAD_VALUE = "bad_value", "A value of a table cannot be read."
    BAD_ADDRESS = "bad_address", "The address is no http or https address that can be fetched."
    PRIVATE_ADDRESS = "private_address", "The address leads into a private network."
    ADDRESS_UNREACHABLE = "address_unreachable", "The address did not answer."
    TOO_SLOW = "too_slow", "The address answered too slowly."
    TOO_MANY_REDIRECTS = "too_many_redirects", "The address redirects too often."
    ENCODED_ANSWER = (
        "encoded_answer",
        "The address sent a compressed answer without being asked for one.",
    )
    NO_CALENDAR = "no_calendar", "The address did not answer with a calendar."
    WRONG_CONTENT_TYPE = (
        "wrong_content_type",
        "The content type of the request is not one that the operation takes.",
    )
    FILE_TOO_LARGE = "file_too_large", "The file is larger than an import takes."
    NOT_UTF8 = "not_utf8", "The file is not UTF-8 text."
    UNREADABLE_CALENDAR = "unreadable_calendar", "The file is not a calendar that can be read."
    UNREADABLE_TABLE = "unreadable_table", "The file is not a table that can be read."
    UNREADABLE_FILE = "unreadable_file", "The file cannot be opened or read."
    MISSING_COLUMN = "missing_column", "The table lacks a column that the import needs."
    TOO_MANY_COMPONENTS = (
        "too_many_components",
        "The calendar holds more components than an import reads.",
    )
    TOO_MANY_ENTRIES = "too_many_entries", "The file holds more entries than one request imports."
    TOO_MANY_ROWS = "too_many_rows", "The table holds more rows than an import reads."
    TOO_MANY_DATES = "too_many_dates", "The calendar holds more dates than an import reads."
    BAD_EVENT = "bad_event", "An event of the calendar cannot be read."
    NO_UID = "no_uid", "An event of the calendar has no UID."
    REPEATED_UID = "repeated_uid", "Several events of the calendar have one UID."
    REPEATED_ROW = "repeated_row", "Several rows of the table are the same booking."
    BOOKED_HERE = (
        "booked_here",
        "The row describes a booking that was made here, not in the other program.",
    )
    NO_ROOM = "no_room", "The event or row names no room."
    SERIES_REFUSED = "series_refused", "The recurring event is refused, and this date with it."
    UNSUPPORTED_RANGE = (
        "unsupported_range",
        "A change of this and all future dates is not supported.",
    )
    UNKNOWN_FEED = "unknown_feed", "There is no feed with this address."
    SERIES_CLASHES = (
        "series_clashes",
        "Dates of the series are refused. `refused` lists each of them.",
    )
    SERIES_TOO_LONG = (
        "series_too_long",
        "The series has more dates than the room or an import allows.",
    )
    BEYOND_HORIZON = "beyond_horizon", "Dates of the series are beyond the advance window."
    OVERLAPS_ITSELF = "overlaps_itself", "A date of the series overlaps the next one."
    NO_OCCURRENCE = "no_occurrence", "The rule gives no date."
    ENDLESS_RULE = "endless_rule", "The rule has no end, and nothing else limits it."
    COUNT_AND_UNTIL = "count_and_until", "The rule has both COUNT and UNTIL."
    FINER_THAN_A_DAY = "finer_than_a_day", "The rule repeats more often than once a day."
    RULE_NOT_READABLE = "rule_not_readable", "The rule is not a recurrence rule of RFC 5545."
    RULE_PART_NOT_ALLOWED = (
        "rule_part_not_allowed",
        "A part of the rule is not allowed with its frequency.",
    )
    RULE_PART_UNKNOWN = "rule_part_unknown", "The rule has a part that RFC 5545 does not know."
    RULE_TOO_LONG = "rule_too_long", "The rule is longer than the system reads."
    RULE_VALUE_INVALID = "rule_value_invalid", "A value of the rule is out of its bounds."
    START_NOT_POSSIBLE = "start_not_possible", "The rule can have no date at this start."
    NOT_A_DATE_OF_THE_SERIES = "not_a_date_of_the_series", "The series has no such date."
    DATE_IS_BOOKED = "date_is_booked", "The date of the series is booked already."
    NOTHING_TO_COME = "nothing_to_come", "The series has no dates to come."
    NOTHING_BEFORE = "nothing_before", "No date of the series lies before the cut."
    NOTHING_AFTER = "nothing_after", "No date of the series lies after the cut."
