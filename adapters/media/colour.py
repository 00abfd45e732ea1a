"""From whatever a decoder hands over to the one kind of pixels that is shown: RGB, eight bits, sRGB, opaque."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from adapters.media.exif import PARSING_ERRORS

Pixels = npt.NDArray[np.uint8]
"""Height x width x 3, RGB in that order, 0..255 in the sRGB colour space, contiguous."""
Samples = npt.NDArray[np.float32]
"""Height x width x channels, each 0 to 1: grey, RGB or CMYK, which all may have one more for how opaque they are."""

_PAPER: Final = 255
"""What shows through where a picture is transparent: the white that most such pictures were made for."""
_SPACES: Final = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab"}
_ALIKE: Final = 2
"""By how much of 255 a profile may change colours and still be taken for sRGB: rounding alone changes them by one."""
_NEARLY_ALL: Final = 0.99
"""Of the values of a picture those that have to fit a scale: the sun and lamps may be brighter than its white."""
_PROBES: Final = 9
"""Levels a channel of the colours by which it is seen what a profile does."""


def pixels_of(image: Image.Image, profile: bytes | None = None) -> Pixels:
    """A decoded picture of any mode as sRGB pixels: its own profile, else `profile`, applied; then laid on white.

    Raises whatever Pillow raises on a mode or profile that it cannot convert.
    """
    profile = _own_profile(image) or profile
    image = _of_eight_bits(image)
    opaque, is_grey = None, image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        opaque = np.asarray(image.getchannel("A"))
    if image.mode not in _SPACES:
        image = image.convert("RGB").convert("L") if is_grey else image.convert("RGB")  # whatever is behind, unmixed
    pixels = np.asarray(in_srgb(image, profile).convert("RGB"))
    return pixels if opaque is None else _on_paper(pixels, opaque)


def pixels_of_samples(samples: Samples, profile: bytes | None, *, inks: bool = False) -> Pixels:
    """The same for samples finer than eight bits, of `inks` or of light: what a profile makes of them is interpolated
    between whole levels."""
    colours = 4 if inks else 3 if samples.shape[2] >= 3 else 1
    opaque = samples[:, :, colours] if colours < samples.shape[2] else None
    values = np.clip(samples[:, :, :colours], 0, 1) * 255
    fitting = _fitting(profile, {1: "L", 3: "RGB", 4: "CMYK"}[colours])
    pixels = _interpolated(values, fitting) if fitting else _plain(values)
    return pixels if opaque is None else _on_paper(pixels, np.clip(opaque * 255, 0, 255).round().astype(np.uint8))


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture of mode RGB, L, CMYK or LAB in sRGB; unchanged where it is that already or its profile does not fit."""
    if image.mode == "LAB":
        profile = profile or _lab_profile()
    fitting = _fitting(profile, image.mode)
    if fitting is None:
        return image
    mode, transform = fitting
    return transform.apply(image if image.mode == mode else image.convert(mode))


def is_srgb(profile: bytes | None) -> bool:
    """Whether a colour profile asks for nothing to be done to RGB pixels: none, sRGB itself or an unusable one."""
    return _fitting(profile, "RGB") is None


Fitting = tuple[str, ImageCms.ImageCmsTransform]
"""A transform to sRGB, and the mode that it is of: grey pictures may have a profile of colours."""


def _fitting(profile: bytes | None, mode: str) -> Fitting | None:
    for each in (mode, "RGB") if mode == "L" else (mode,):
        transform = _to_srgb(profile, each) if profile else None
        if transform is not None:
            return each, transform
    return None


@lru_cache(maxsize=64)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform of one profile, which costs far more to build than to apply, and comes with thousands of photos;
    None where it fits no picture of this mode, or leaves its colours as they are, whatever the profile is called."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        transform = ImageCms.ImageCmsTransform(
            source,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if _changes_nothing(transform, mode) else transform
    except (ImageCms.PyCMSError, *PARSING_ERRORS):
        return None  # a broken profile leaves the colours as they are stored


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode not in ("RGB", "L"):
        return False
    levels = np.linspace(0, 255, _PROBES).round().astype(np.uint8)
    probes = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    given = Image.fromarray(probes) if mode == "RGB" else Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    made = np.asarray(transform.apply(given), np.int16)
    return int(np.abs(made - np.asarray(given.convert("RGB"), np.int16)).max()) <= _ALIKE


@lru_cache(maxsize=1)
def _lab_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def _own_profile(image: Image.Image) -> bytes | None:
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile else None


def _on_paper(pixels: Pixels, opaque: Pixels) -> Pixels:
    share = opaque.astype(np.float32)[:, :, None] / 255
    return np.asarray((pixels * share + _PAPER * (1 - share)).round(), np.uint8)


def _plain(values: Samples) -> Pixels:
    """Samples of 0 to 255 as they are; inks as Pillow mixes them."""
    whole = values.round().astype(np.uint8)
    image = Image.fromarray(whole[:, :, 0]) if whole.shape[2] == 1 else None
    if whole.shape[2] == 4:
        image = Image.fromarray(whole, "CMYK")
    return whole if image is None else np.asarray(image.convert("RGB"))


def _interpolated(values: Samples, fitting: Fitting) -> Pixels:
    """Samples of 0 to 255 in sRGB: between two whole levels of a channel what lies between what these become."""
    mode, transform = fitting
    if mode == "RGB" and values.shape[2] == 1:
        values = values.repeat(3, axis=2)
    below = np.minimum(np.floor(values), 254)
    rest = values - below

    def of(levels: Samples) -> Samples:
        whole = np.ascontiguousarray(levels.astype(np.uint8))
        image = Image.fromarray(whole[:, :, 0]) if mode == "L" else Image.fromarray(whole, mode)
        return np.asarray(transform.apply(image), np.float32)

    base = of(below)
    total = base.copy()
    for channel in range(values.shape[2]):
        raised = below.copy()
        raised[:, :, channel] += 1
        total += (of(raised) - base) * rest[:, :, channel, None]
    return np.asarray(np.clip(total, 0, 255).round(), np.uint8)


def _of_eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floating point as eight bits: the high byte, or stretched over what is used."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    if image.mode not in ("I", "F"):
        return image
    return Image.fromarray((stretched(np.asarray(image)) * 255).round().astype(np.uint8))


def stretched(values: npt.NDArray[Any]) -> Samples:
    """Numbers of no stated range as 0 to 1: on one of the scales in use, else over what there is."""
    values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    least, most = float(values.min()), float(values.max())
    if least >= 0:  # floating point to 1 but for some lights, eight bits, sixteen bits
        nearly = float(np.quantile(values, _NEARLY_ALL))
        least, most = 0.0, next((scale for scale in (1.0, 255.0, 65535.0) if nearly <= scale), most)
    return np.asarray(np.clip((values - least) / max(most - least, 1e-9), 0, 1), np.float32)
