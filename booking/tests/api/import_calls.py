"""Import files for the REST API: their contents, the calls, and the reports."""

from typing import Any

from booking.tests.api_calls import Answer, Caller, future

HEAD = "room,starts_at,ends_at,title\n"
EMPTY = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nEND:VCALENDAR\r\n"


def stamp(hour: int) -> str:
    return future(hour).strftime("%Y%m%dT%H%M%SZ")


def event(uid: str, start: int, end: int, place: str = "Dogger", more: str = "") -> str:
    location = f"LOCATION:{place}\r\n" if place else ""
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{stamp(start)}\r\n"
        f"DTEND:{stamp(end)}\r\nSUMMARY:Talk {uid}\r\n{location}{more}END:VEVENT\r\n"
    )


def calendar(*events: str) -> bytes:
    return EMPTY.replace("END:VCALENDAR", "".join(events) + "END:VCALENDAR").encode()


def row(place: str, start: int, end: int, title: str = "Plan") -> str:
    return f"{place},{future(start).isoformat()},{future(end).isoformat()},{title}\n"


class Importer(Caller):
    """A caller that sends files to import."""

    def ics(self, *events: str, raw: bytes | None = None, query: str = "", **extra):
        body = calendar(*events) if raw is None else raw
        return self._send(f"/imports/calendar{query}", body, "text/calendar; charset=utf-8", extra)

    def csv(self, *rows: str, raw: bytes | None = None, query: str = "?building=hq", **extra):
        body = (HEAD + "".join(rows)).encode() if raw is None else raw
        return self._send(f"/imports/bookings{query}", body, "text/csv", extra)

    def at(self, address: str, query: str = ""):
        return self.post(f"/imports/calendar{query}", {"address": address})

    def _send(self, path: str, body: bytes, kind: str, extra: dict[str, str]):
        sent = {"content_type": kind, **extra}
        return self._client.post(f"/api/v1{path}", data=body, **sent)


def report_of(answer: Answer) -> dict[str, Any]:
    assert answer.status_code == 200, answer.content
    return answer.json()


def refusal(answer: Answer) -> tuple[int, str]:
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.status_code == problem["status"]
    assert problem["detail"]
    return answer.status_code, problem["code"]


def counts(report: dict) -> dict[str, int]:
    outcomes = ("created", "updated", "cancelled", "unchanged", "refused")
    return {name: report[name] for name in outcomes if report[name]}
