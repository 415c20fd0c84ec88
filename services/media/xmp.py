"""The XMP packet of an exported copy (ISO 16684-1), the same in every file type."""

import html
import json
import re
from dataclasses import dataclass
from typing import Any

NAMESPACE = "https://rushes.invalid/ns/1.0/"
MOST_BYTES = 256 * 1024
LONGEST_DESCRIPTION = 1000
DEEPEST = 8

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
    description: str
    """What other programs show."""
    facts: str
    """JSON."""
    xmp: bytes
    """Both of them."""


def packet(facts: dict[str, Any], description: str) -> Packet:
    """`facts` must be plain JSON."""
    written = _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(facts, ensure_ascii=False))
    shown = _NOT_XML.sub(" ", description[:LONGEST_DESCRIPTION])
    xmp = _PACKET.format(
        namespace=NAMESPACE,
        description=html.escape(shown, quote=False),
        facts=html.escape(written, quote=False),
    )
    return Packet(description=shown, facts=written, xmp=xmp.encode())


def facts_in(data: bytes) -> dict[str, Any] | None:
    """Of the last packet of ours among any bytes, whoever wrote them; None where there is none to be read.

    Nothing is decoded or unpacked for it, and more than `MOST_BYTES` of facts are not looked at.
    """
    found = next(iter(reversed(list(_OURS.finditer(data)))), None)
    if found is None or len(found[1]) > MOST_BYTES:
        return None
    try:
        text = html.unescape(found[1].decode())
        facts = json.loads(text) if max(text.count("["), text.count("{")) <= DEEPEST * 8 else None
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None
