"""`/metrics`: the metrics of this process for Prometheus. Not public.

If `METRICS_TOKEN` is set, callers send this token. Otherwise only the local machine may read the
metrics, and only without a proxy: behind a proxy, every client can have the address of the machine.
"""

from http import HTTPStatus
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import Gauge
from prometheus_client.exposition import choose_encoder

from identity.hashing import PLACES
from meeting_rooms.http.problem import PROBLEM_CONTENT_TYPE, problem
from meeting_rooms.kernel.error_codes import KernelErrorCode
from realtime.metrics import NAMESPACE, REGISTRY

FORWARDING_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded")

password_hashes_peak = Gauge(
    "password_hashes_peak",
    "The most password hashes that this process has made at one time.",
    namespace=NAMESPACE,
    registry=REGISTRY,
)
password_hashes_peak.set_function(lambda: PLACES.most_at_once)
password_hashes_made = Gauge(
    "password_hashes_made",
    "Password hashes that this process has made.",
    namespace=NAMESPACE,
    registry=REGISTRY,
)
password_hashes_made.set_function(lambda: PLACES.total)


@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics in the text format that the caller accepts: Prometheus or OpenMetrics."""
    if not _may_read(request):
        return _refusal()
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(REGISTRY), content_type=content_type)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        is_same = constant_time_compare(token.strip(), settings.METRICS_TOKEN)
        return is_same and scheme.lower() == "bearer"
    if settings.BEHIND_PROXY or any(h in request.headers for h in FORWARDING_HEADERS):
        return False
    return is_loopback(request.META.get("REMOTE_ADDR", ""))


def is_loopback(address: str) -> bool:
    """Return whether a peer's address is this machine's own, in either version of IP."""
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    mapped = peer.ipv4_mapped if isinstance(peer, IPv6Address) else None
    return (mapped or peer).is_loopback


def _refusal() -> HttpResponse:
    return JsonResponse(
        problem(
            HTTPStatus.FORBIDDEN,
            code=KernelErrorCode.METRICS_NOT_YOURS,
            detail="Send 'Authorization: Bearer <METRICS_TOKEN>'. If METRICS_TOKEN is not set, "
            "read the metrics on the machine itself.",
        ),
        status=HTTPStatus.FORBIDDEN,
        content_type=PROBLEM_CONTENT_TYPE,
        headers={"WWW-Authenticate": "Bearer"},
    )
