"""XMP packets as other programs write them."""

from __future__ import annotations

from adapters.files.regions import Stored
from adapters.files.xmp import Xmp
from domain.rules.xmp import Description

NAMES = """xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
 xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
 xmlns:digiKam="http://www.digikam.org/ns/1.0/" xmlns:MP="http://ns.microsoft.com/photo/1.2/"
 xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:odd="urn:odd" """


def description_of(packet: bytes, stored: Stored | None) -> Description:
    """What a packet says."""
    return Xmp(packet).description(stored)


def packet(inside: str, attributes: str = "") -> bytes:
    """A packet around properties."""
    about = f'<rdf:Description rdf:about="" {attributes}>{inside}</rdf:Description>'
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {NAMES}>{about}</rdf:RDF></x:xmpmeta>'.encode()


def regions(items: str, size: tuple[int, int] = (4000, 3000)) -> bytes:
    """A packet with a list of regions."""
    return packet(
        '<mwg-rs:Regions rdf:parseType="Resource">'
        f'<mwg-rs:AppliedToDimensions stDim:w="{size[0]}" stDim:h="{size[1]}" stDim:unit="pixel"/>'
        f"<mwg-rs:RegionList><rdf:Bag>{items}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


AREA = 'stArea:x="0.3" stArea:y="0.2" stArea:w="0.2" stArea:h="0.1" stArea:unit="normalized"'
DIGIKAM = f"""<rdf:li rdf:parseType="Resource"><mwg-rs:Name>Ann</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>
 <mwg-rs:Area {AREA}/></rdf:li>"""
