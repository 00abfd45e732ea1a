"""From whatever a decoder hands over to the one kind of pixels that is shown: RGB, eight bits, sRGB, opaque."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from adapters.media.exif import PARSING_ERRORS

Pixels = npt.NDArray[np.uint8]
"""Height x width x 3, RGB in that order, 0..255 in the sRGB colour space, contiguous."""

_BEHIND: Final = (255, 255, 255)
"""What shows through where a picture is transparent: the paper that most such pictures were made for."""
_PROFILE_SPACES: Final = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab"}


def pixels_of(image: Image.Image) -> Pixels:
    """A decoded picture of any mode as sRGB pixels: its profile applied, transparency laid on white.

    Raises whatever Pillow raises on a mode or profile that it cannot convert.
    """
    profile = image.info.get("icc_profile")
    image = _of_eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, _BEHIND)
        image = Image.alpha_composite(paper, image).convert("RGB")
    elif image.mode not in _PROFILE_SPACES:
        image = image.convert("L" if image.mode == "1" else "RGB")
    image = in_srgb(image, profile)
    return np.asarray(image.convert("RGB"))


def in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """A picture of mode RGB, L, CMYK or LAB in sRGB; unchanged where it is that already or its profile does not fit."""
    if image.mode == "LAB":
        profile = profile or _lab_profile()
    if not isinstance(profile, bytes) or not profile:
        return image
    transform = _to_srgb(profile, image.mode)
    return image if transform is None else transform.apply(image)


def is_srgb(profile: object) -> bool:
    """Whether a colour profile asks for nothing to be done to RGB pixels: none, sRGB itself or an unusable one."""
    return not isinstance(profile, bytes) or not profile or _to_srgb(profile, "RGB") is None


@lru_cache(maxsize=32)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform of one profile, which costs far more to build than to apply, and comes with thousands of photos."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _PROFILE_SPACES[mode]:
            return None
        if "sRGB" in (source.profile.profile_description or ""):
            return None
        return ImageCms.ImageCmsTransform(
            source,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, *PARSING_ERRORS):
        return None  # a broken profile leaves the colours as they are stored


@lru_cache(maxsize=1)
def _lab_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def _of_eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floating point as eight bits: the high byte, or stretched over what is used."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    if image.mode not in ("I", "F"):
        return image
    values = np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0)
    least, most = float(values.min()), float(values.max())
    if least >= 0:  # one of the scales in use: floating point to 1, eight bits, sixteen bits; else what there is
        least, most = 0.0, next((scale for scale in (1.0, 255.0, 65535.0) if most <= scale), most)
    return Image.fromarray(((values - least) * (255 / max(most - least, 1e-9))).round().astype(np.uint8))
