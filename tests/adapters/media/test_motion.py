"""The short video in a phone's photo is found where the makers put it, and nowhere where none is; exiftool judges."""

from __future__ import annotations

import io
import struct
import subprocess
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from adapters.media.indexing import index_file
from adapters.media.motion import Motion, PhoneXmp, motion_of, phone_xmp
from tests.adapters.media.material import encoded, quarters
from tests.footage import footage

pytestmark = [pytest.mark.exiftool, pytest.mark.ffmpeg]

GAIN_MAP = encoded(quarters(16, 12), "JPEG")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A video of a second."""
    return footage(tmp_path_factory.mktemp("film") / "clip.mp4", 1).read_bytes()


def exiftool(*words: str) -> bytes:
    """What exiftool says."""
    return subprocess.run(["exiftool", *words], check=True, capture_output=True, timeout=60).stdout


def photo(folder: Path, format_name: str = "JPEG", *tags: str, packet: str = "") -> bytes:
    """A picture in which exiftool wrote these, or this packet of XMP."""
    file = folder / f"photo.{'jpg' if format_name == 'JPEG' else 'heic'}"
    file.write_bytes(encoded(quarters(), format_name))
    if packet:
        (folder / "packet.xmp").write_text(packet)
        tags = (f"-XMP<={folder / 'packet.xmp'}",)
    if tags:
        exiftool("-q", "-overwrite_original", *tags, str(file))
    return file.read_bytes()


PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"
 xmlns:Container="http://ns.google.com/photos/1.0/container/"
 xmlns:Item="http://ns.google.com/photos/1.0/container/item/" GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1">
<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>"""
IN_ATTRIBUTES = (
    '<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="a/b" Item:Semantic="{}" Item:Length="{}"/></rdf:li>'
)
IN_ELEMENTS = """<rdf:li rdf:parseType="Resource"><Container:Item rdf:parseType="Resource">
<Item:Length>{1}</Item:Length><Item:Mime>a/b</Item:Mime><Item:Semantic>{0}</Item:Semantic></Container:Item></rdf:li>"""


def directory(*items: tuple[str, int], item: str = IN_ATTRIBUTES) -> str:
    """XMP of Google's Motion Photo format: what follows in the file, and its bytes."""
    return PACKET.format(items="".join(item.format(*each) for each in items))


def samsung(picture: bytes, film: bytes, *, back: int = 0, name: bytes = b"MotionPhoto_Data") -> bytes:
    """A photo with the directory of Samsung's phones at its end, which names a note and the video."""
    note = b"\0\0\x01\x0a" + struct.pack("<I", 14) + b"Image_UTC_Data" + b"1700000000000"
    video = b"\0\0\x30\x0a" + struct.pack("<I", len(name)) + name + film
    entries = [(0x0A010000, len(note) + len(video), len(note)), (0x0A300000, len(video) + back, len(video))]
    head = b"SEFH" + struct.pack("<II", 106, len(entries)) + b"".join(struct.pack("<III", *each) for each in entries)
    return picture + note + video + head + struct.pack("<I", len(head)) + b"SEFT"


def box(kind: bytes, content: bytes) -> bytes:
    """A box of an ISO base media file."""
    return struct.pack(">I", len(content) + 8) + kind + content


def found(content: bytes) -> bytes | None:
    """The bytes of the video in a photo."""
    motion = motion_of(content, phone_xmp(content))
    return None if motion is None else content[motion.at : motion.at + motion.length]


@pytest.mark.parametrize("item", [IN_ATTRIBUTES, IN_ELEMENTS])
def test_google_s_photo_with_a_video_behind_it(tmp_path: Path, film: bytes, item: str) -> None:
    packet = directory(("Primary", 0), ("MotionPhoto", len(film)), item=item)
    content = photo(tmp_path, packet=packet) + film
    assert found(content) == film


def test_one_with_a_gain_map_between(tmp_path: Path, film: bytes) -> None:
    items = directory(("Primary", 0), ("GainMap", len(GAIN_MAP)), ("MotionPhoto", len(film)))
    assert found(photo(tmp_path, packet=items) + GAIN_MAP + film) == film


def test_one_with_something_behind_the_video(tmp_path: Path, film: bytes) -> None:
    items = directory(("Primary", 0), ("MotionPhoto", len(film)), ("Depth", len(GAIN_MAP)))
    assert found(photo(tmp_path, packet=items) + film + GAIN_MAP) == film


def test_google_s_older_way(tmp_path: Path, film: bytes) -> None:
    tags = ("-XMP-GCamera:MicroVideo=1", f"-XMP-GCamera:MicroVideoOffset={len(film)}")
    content = photo(tmp_path, "JPEG", *tags) + film
    assert found(content) == film
    (tmp_path / "a.jpg").write_bytes(content)
    assert exiftool("-ee", "-b", "-EmbeddedVideo", str(tmp_path / "a.jpg")) == film


def test_the_box_of_a_heic(tmp_path: Path, film: bytes) -> None:
    content = photo(tmp_path, "HEIF") + box(b"mpvd", film)
    assert found(content) == film
    (tmp_path / "b.heic").write_bytes(content)
    indexed = index_file(bytes(tmp_path / "b.heic"), str(tmp_path / "made"), "photo")
    assert (indexed.kind, indexed.format, indexed.problem, indexed.width) == ("photo", "heic", None, 64)
    assert (indexed.motion_at, indexed.motion_bytes) == (len(content) - len(film), len(film))


def test_samsung_s_directory(tmp_path: Path, film: bytes) -> None:
    content = samsung(photo(tmp_path), film)
    assert found(content) == film
    (tmp_path / "s.jpg").write_bytes(content)
    assert exiftool("-b", "-EmbeddedVideoFile", str(tmp_path / "s.jpg")) == film


def test_a_photo_whose_video_an_editor_cut_off_has_none(tmp_path: Path, film: bytes) -> None:
    content = photo(tmp_path, packet=directory(("Primary", 0), ("MotionPhoto", len(film))))
    assert found(content) is None
    assert found(content + film[:-100]) is None
    assert found(photo(tmp_path)) is None


@pytest.mark.parametrize(
    "xmp", [PhoneXmp(0, 0), PhoneXmp(10**12, 10**12), PhoneXmp(10**12, 10), PhoneXmp(10, 10**12), PhoneXmp(1, 1)]
)
def test_numbers_beyond_the_file_lead_nowhere(tmp_path: Path, film: bytes, xmp: PhoneXmp) -> None:
    assert motion_of(photo(tmp_path) + film, xmp) is None


def test_a_video_that_would_reach_beyond_the_file_or_lacks_its_contents_is_none(tmp_path: Path, film: bytes) -> None:
    assert motion_of(photo(tmp_path) + film, PhoneXmp(len(film), len(film) + 1)) is None
    beginning = box(b"ftyp", b"isom\0\0\2\0") + box(b"mdat", bytes(200))
    assert motion_of(photo(tmp_path) + beginning, PhoneXmp(len(beginning))) is None


def test_numbers_that_lead_into_the_photo_itself_lead_nowhere(tmp_path: Path, film: bytes) -> None:
    content = photo(tmp_path) + film
    assert motion_of(content, PhoneXmp(len(content), len(content))) is None
    assert motion_of(content, PhoneXmp(len(film) + 5, len(film))) is None
    assert motion_of(content, PhoneXmp(len(film), len(film))) == Motion(len(content) - len(film), len(film))


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("place", [-8, -20, -24, -36])
def test_a_broken_directory_of_samsung_s_leads_nowhere(tmp_path: Path, film: bytes, place: int, length: int) -> None:
    content = bytearray(samsung(photo(tmp_path), film))
    struct.pack_into("<I", content, len(content) + place, length)
    assert found(bytes(content)) in {None, film}
    assert found(samsung(photo(tmp_path), film, back=10**9)) is None
    assert found(samsung(photo(tmp_path), film, name=b"MotionPhoto_Info")) is None
    assert found(b"SEFT") is None


@pytest.mark.parametrize(
    "packet",
    [
        b"<x:xmpmeta>",
        b"<x:xmpmeta></x:xmpmet>",
        b"<x:xmpmeta><a></x:xmpmeta>",
        b'<x:xmpmeta GCamera:MicroVideoOffset="-5"/></x:xmpmeta>',
        b'<x:xmpmeta GCamera:MicroVideoOffset="' + b"9" * 5000 + b'"></x:xmpmeta>',
        "<x:xmpmeta GCamera:MicroVideoOffset='\u0661\u0662'></x:xmpmeta>".encode(),
        b"<x:xmpmeta>" + b"<a>" * 30_000 + b"</a>" * 30_000 + b"</x:xmpmeta>",
        b"<x:xmpmeta \xff></x:xmpmeta>",
    ],
)
def test_a_packet_that_makes_no_sense_says_nothing(packet: bytes) -> None:
    assert phone_xmp(packet) == PhoneXmp()


def test_a_packet_with_a_document_type_says_nothing() -> None:
    hidden = b"<x:xmpmeta><!-- --><a GCamera:MicroVideoOffset='5'/></x:xmpmeta>"
    assert phone_xmp(hidden) == PhoneXmp(5)
    declared = b"<x:xmpmeta><!DOCTYPE a [<!ENTITY b 'c'>]><a GCamera:MicroVideoOffset='5'/></x:xmpmeta>"
    assert phone_xmp(declared) == PhoneXmp()


def test_the_series_that_a_photo_says_it_is_of(tmp_path: Path) -> None:
    assert phone_xmp(photo(tmp_path, "JPEG", "-XMP-GCamera:BurstID=5f0c-11")).burst == "5f0c-11"
    (tmp_path / "c.jpg").write_bytes(photo(tmp_path, "JPEG", "-XMP-GCamera:BurstID=5f0c-11"))
    assert index_file(bytes(tmp_path / "c.jpg"), None, "photo").burst == "5f0c-11"


def apple(uuid: bytes, *, at: int | None = None, count: int | None = None) -> bytes:
    """A JPEG with Apple's maker note, in which a burst is named."""
    value = uuid + b"\0"
    entry = struct.pack(">HHII", 0x000B, 2, len(value) if count is None else count, 32 if at is None else at)
    note = b"Apple iOS\0\0\1MM" + struct.pack(">H", 1) + entry + bytes(4) + value
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Apple"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = note
    file = io.BytesIO()
    quarters().save(file, "JPEG", exif=exif)
    return file.getvalue()


def test_apple_s_burst_is_what_exiftool_reads(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(apple(b"9D2C1E3A-0000-4000-8000-0123456789AB"))
    xmp = exiftool("-s3", "-Apple:BurstUUID", str(file)).decode().strip()
    assert index_file(bytes(file), None, "photo").burst == xmp == "9D2C1E3A-0000-4000-8000-0123456789AB"


@pytest.mark.parametrize(("at", "count"), [(10**9, 37), (2**32 - 1, 37), (32, 0), (32, 4)])
def test_a_maker_note_that_points_elsewhere_names_none(tmp_path: Path, at: int, count: int) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(apple(b"9D2C1E3A", at=at, count=count))
    assert index_file(bytes(file), None, "photo").burst is None
