"""The XMP packet of an exported copy (ISO 16684-1), the same in every file type."""

import html
import json
import re
from dataclasses import dataclass, replace
from typing import Any

NAMESPACE = "https://rushes.invalid/ns/1.0/"
MAX_FACTS_BYTES = 256 * 1024
MAX_DESCRIPTION_LENGTH = 1000
MAX_BRACKETS = 64

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_OURS = re.compile(rb"<rushes:generation>([^<]*)</rushes:generation>")
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
{ours}</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
_OURS_ALONE = """<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:rushes="{namespace}">
{shared}<rushes:generation>{facts}</rushes:generation>
</rdf:Description>"""
_TOOL = "<xmp:CreatorTool>Rushes</xmp:CreatorTool>\n"
_DESCRIPTION = """<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt>\
</dc:description>
"""
_START, _END = b"<rdf:Description", b"</rdf:Description>"
_LEAST_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """The description, which other programs show, and the facts, which are JSON."""

    description: str
    facts: str
    values: dict[str, Any]
    shortened: tuple[str, ...] = ()
    """Names of the facts that did not fit as they are; the facts say so too."""

    @property
    def xmp(self) -> bytes:
        return _PACKET.format(ours=self._ours("")).encode()

    def beside(self, maker: bytes) -> bytes | None:
        """The packet that a maker put into the file, with ours in it; None where it cannot be read.

        What the maker says of the picture stays; ours of an earlier copy goes.
        """
        text = _without_ours(maker)
        end = text.rfind(b"</rdf:RDF>")
        try:
            before = text.decode()
        except UnicodeDecodeError:
            return None
        return text[:end] + self._ours(before).encode() + text[end:] if end >= 0 else None

    def within(self, max_bytes: int, maker: bytes | None = None) -> tuple[bytes | None, "Packet"]:
        """Ours (beside the maker's), with its longest facts shortened until it fits; None where none does."""
        packet = self
        while True:
            xmp = packet.xmp if maker is None else packet.beside(maker)
            if xmp is None or len(xmp) <= max_bytes:
                return xmp, packet
            texts = [name for name, value in packet.values.items() if isinstance(value, str)]
            longest = max(texts, key=lambda name: len(packet.values[name]), default=None)
            if longest is None or len(packet.values[longest]) < _LEAST_LENGTH:
                return None, packet
            packet = packet._shorten(longest)

    def _shorten(self, name: str) -> "Packet":
        text = self.values[name]
        names = tuple(dict.fromkeys((*self.shortened, name)))
        values = self.values | {name: text[: len(text) * 3 // 4].rstrip("…") + "…", "shortened": list(names)}
        return replace(self, values=values, facts=_json(values), shortened=names)

    def _ours(self, before: str) -> str:
        shared = "" if "CreatorTool" in before else _TOOL
        if "dc:description" not in before:
            shared += _DESCRIPTION.format(description=html.escape(self.description, quote=False))
        facts = html.escape(self.facts, quote=False)
        return _OURS_ALONE.format(namespace=NAMESPACE, shared=shared, facts=facts) + "\n"


def packet(facts: dict[str, Any], description: str) -> Packet:
    """`facts` must be plain JSON."""
    shown = _NOT_XML.sub(" ", description[:MAX_DESCRIPTION_LENGTH])
    return Packet(description=shown, facts=_json(facts), values=facts)


def _json(facts: dict[str, Any]) -> str:
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(facts, ensure_ascii=False))


def is_ours(xmp: bytes) -> bool:
    return b"<rushes:generation>" in xmp


def _without_ours(xmp: bytes) -> bytes:
    at = xmp.find(b"<rushes:generation>")
    start, end = xmp.rfind(_START, 0, max(at, 0)), xmp.find(_END, max(at, 0))
    return xmp[:start] + xmp[end + len(_END) :] if 0 <= start < at < end else xmp


def facts_in(data: bytes) -> dict[str, Any] | None:
    """Reads our last packet in untrusted bytes; None without a readable one.

    Decodes no image, and reads no more than `MAX_FACTS_BYTES`.
    """
    *_, found = [b"", *_OURS.findall(data)]
    if not found or len(found) > MAX_FACTS_BYTES:
        return None
    try:
        text = html.unescape(found.decode())
        facts = json.loads(text) if max(text.count("["), text.count("{")) <= MAX_BRACKETS else None
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None
