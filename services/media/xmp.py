"""The XMP packet of an exported copy (ISO 16684-1), the same in every file type."""

import html
import json
import re
from dataclasses import dataclass
from typing import Any

NAMESPACE = "https://rushes.invalid/ns/1.0/"
MAX_FACTS_BYTES = 256 * 1024
MAX_DESCRIPTION_LENGTH = 1000
MAX_BRACKETS = 64

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_OURS = re.compile(rb"<rushes:generation>([^<]*)</rushes:generation>")
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:rushes="{namespace}">
<xmp:CreatorTool>Rushes</xmp:CreatorTool>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt></dc:description>
<rushes:generation>{facts}</rushes:generation>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """`xmp` holds both the description, which other programs show, and the facts, which are JSON."""

    description: str
    facts: str
    xmp: bytes


def packet(facts: dict[str, Any], description: str) -> Packet:
    """`facts` must be plain JSON."""
    written = _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(facts, ensure_ascii=False))
    shown = _NOT_XML.sub(" ", description[:MAX_DESCRIPTION_LENGTH])
    texts = {"description": html.escape(shown, quote=False), "facts": html.escape(written, quote=False)}
    xmp = _PACKET.format(namespace=NAMESPACE, **texts)
    return Packet(description=shown, facts=written, xmp=xmp.encode())


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
