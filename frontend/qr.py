"""QR codes as inline SVG."""

from functools import lru_cache
from io import BytesIO

import segno
from django.utils.safestring import SafeString, mark_safe


@lru_cache(maxsize=256)
def qr_svg(url: str) -> SafeString:
    """Return a QR code of `url` as SVG in the size of its box and in the colour `currentColor`.

    The SVG contains path data only, never the text, so it is safe without escaping.
    """
    out = BytesIO()
    segno.make(url, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=False,
        border=0,
        omitsize=True,
        lineclass=None,
        svgclass="qr",
        dark="#123456",
    )
    svg = out.getvalue().decode().replace("#123456", "currentColor")
    return mark_safe(svg.replace("<svg", '<svg aria-hidden="true"', 1))  # noqa: S308 - path data only
