"""Videos that tests make with ffmpeg: short, with a picture that tells the second and which corner is up."""

from __future__ import annotations

import subprocess
from pathlib import Path

IDENTITY = bytes.fromhex("000100000000000000000000" + "000000000001000000000000" + "000000000000000040000000")
"""The matrix of an upright picture in a track's header (ISO 14496-12, 8.3.2)."""
QUARTER_TURN = bytes.fromhex("000000000001000000000000" + "ffff00000000000000000000" + "000000000000000040000000")
"""The matrix of one that players turn clockwise by 90 degrees."""
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac", "-b:a", "64k")


def footage(
    path: Path,
    seconds: float = 2.0,
    *words: str,
    size: str = "160x120",
    rate: int = 10,
    source: str = "testsrc2",
    sound: bool = True,
) -> Path:
    """Make a video; `words` are ffmpeg's, in place of H.264 with a keyframe each second and AAC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    inputs = ["-f", "lavfi", "-i", f"{source}=size={size}:rate={rate}"]
    if sound:
        inputs += ["-f", "lavfi", "-i", "sine=440:sample_rate=44100"]
    how = words or (*H264, "-g", str(rate), *(AAC if sound else ()))
    ffmpeg(*inputs, "-t", f"{seconds}", *how, str(path))
    return path


def ffmpeg(*words: str) -> None:
    """Run ffmpeg to its end, quietly."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *words], check=True, timeout=120)


def turned(path: Path) -> Path:
    """Rewrite the track header of an MP4 so that players turn its picture by 90 degrees clockwise."""
    content = path.read_bytes()
    at = content.index(IDENTITY, content.index(b"tkhd"))
    path.write_bytes(content[:at] + QUARTER_TURN + content[at + len(IDENTITY) :])
    return path
