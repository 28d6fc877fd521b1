"""Drawing charts without a browser or a network: vl-convert makes SVG, PDF and PNG of a spec.

For a page that draws them itself it has the scripts, in one.
"""

from __future__ import annotations

import re
from functools import cache
from types import ModuleType
from typing import Any

from ivan_core.domain.errors import BackendUnavailable

PPI = 300
_SIZE = re.compile(r' width="([\d.]+)" height="([\d.]+)"')
_MM_PER_INCH = 25.4
_POINTS_PER_INCH = 72


def svg(spec: dict[str, Any], width_mm: float) -> bytes:
    """A Vega-Lite spec as an SVG document of this width; its height follows.

    Raises:
        BackendUnavailable: vl-convert is not installed.
    """
    drawn, height_mm = _drawn(spec, width_mm)
    return _sized(drawn, f"{width_mm:g}mm", f"{height_mm:.3f}mm").encode()


def pdf(spec: dict[str, Any], width_mm: float) -> bytes:
    """A Vega-Lite spec as a PDF of one page, as large as the drawing, with its fonts inside.

    Raises:
        BackendUnavailable: vl-convert is not installed.
    """
    drawn, height_mm = _drawn(spec, width_mm)
    points = [size / _MM_PER_INCH * _POINTS_PER_INCH for size in (width_mm, height_mm)]
    return bytes(_vl_convert().svg_to_pdf(_sized(drawn, *(f"{size:.3f}" for size in points))))


def png(spec: dict[str, Any], width_mm: float) -> bytes:
    """A Vega-Lite spec as a PNG of 300 dots an inch.

    Raises:
        BackendUnavailable: vl-convert is not installed.
    """
    drawn, height_mm = _drawn(spec, width_mm)
    # Whole pixels, and a hair more: the library cuts fractions off.
    pixels = [round(size / _MM_PER_INCH * PPI) + 0.01 for size in (width_mm, height_mm)]
    points = [f"{size / PPI * _POINTS_PER_INCH:.5f}" for size in pixels]
    # Stretched by part of a pixel, or a margin of that size would stay transparent.
    stretched = drawn.replace("<svg ", '<svg preserveAspectRatio="none" ', 1)
    return bytes(_vl_convert().svg_to_png(_sized(stretched, *points), ppi=PPI))


@cache
def scripts() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script of 0.9 MB, which gives a page `vegaEmbed`.

    Putting it together takes seconds, once a process.

    Raises:
        BackendUnavailable: vl-convert is not installed.
    """
    return str(_vl_convert().javascript_bundle())


def _drawn(spec: dict[str, Any], width_mm: float) -> tuple[str, float]:
    """The SVG in units of the drawing, and its height in millimetres."""
    drawn: str = _vl_convert().vegalite_to_svg(spec, allowed_base_urls=[])
    found = _SIZE.search(drawn)
    if found is None:
        raise ValueError("the SVG does not begin with its size")
    width, height = (float(size) for size in found.groups())
    return drawn, height / width * width_mm


def _sized(drawn: str, width: str, height: str) -> str:
    return _SIZE.sub(f' width="{width}" height="{height}"', drawn, count=1)


def _vl_convert() -> ModuleType:
    try:
        import vl_convert
    except ImportError as error:
        raise BackendUnavailable(
            "Figures need vl-convert, which is not installed.",
            "Install it with `pip install vl-convert-python`; the chart's data as CSV needs none.",
        ) from error
    return vl_convert
