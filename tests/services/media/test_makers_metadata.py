"""Copies keep what the maker wrote into the file, beside ours."""

from __future__ import annotations

import io
import json
import struct
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import numpy
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from services.media.film_tags import tagged
from services.media.tagged_copy import Copy, copy_of
from services.media.xmp import facts_in, packet

FACTS = {"prompt": "a kite 😀", "seed": 7}
AGAIN = {"prompt": "another", "seed": 8}
WORKFLOW = json.dumps({"nodes": [{"id": 1, "type": "KSampler"}] * 40})
RGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
MAKERS_XMP = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator><rdf:Seq><rdf:li>Ann</rdf:li></rdf:Seq></dc:creator>'
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def copy(tmp_path: Path, content: bytes, facts: dict[str, Any] = FACTS) -> Copy:
    path = tmp_path / "kept"
    path.write_bytes(content)
    return copy_of(path, "hash", packet(facts, facts["prompt"]))


def copied(tmp_path: Path, content: bytes, facts: dict[str, Any] = FACTS) -> bytes:
    return b"".join(copy(tmp_path, content, facts).chunks())


def film(meta: dict[str, str], *, format: str = "mp4", movflags: str = "") -> bytes:
    """Its index stands first only in a file that can be read again."""
    with tempfile.NamedTemporaryFile() as file:
        _write_film(file.name, meta, format, {"movflags": movflags} if movflags else {})
        return Path(file.name).read_bytes()


def _write_film(path: str, meta: dict[str, str], format: str, options: dict[str, str]) -> None:
    with av.open(path, "w", format=format, options=options) as made:
        made.metadata.update(meta)
        stream = made.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(4):
            picture = numpy.full((48, 64, 3), number * 60, numpy.uint8)
            made.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        made.mux(stream.encode())


def shown(content: bytes) -> tuple[dict[str, str], list[bytes]]:
    with av.open(io.BytesIO(content)) as opened:
        frames = [frame.to_ndarray().tobytes() for frame in opened.decode(video=0)]
        return dict(opened.metadata), frames


def with_item(content: bytes, item: bytes) -> bytes:
    """The film, whose index stands at the end, with one more item in its list."""
    made = bytearray(content)
    for name in (b"moov", b"udta", b"meta", b"ilst"):
        at = made.rindex(name) - 4
        size = int.from_bytes(made[at : at + 4], "big")
        made[at : at + 4] = (size + len(item)).to_bytes(4, "big")
    at = made.rindex(b"ilst") - 4
    return bytes(made[: at + 8] + item + made[at + 8 :])


@pytest.mark.parametrize("movflags", ["", "faststart"])
def test_a_film_keeps_its_maker_s_names_beside_ours(tmp_path: Path, movflags: str) -> None:
    theirs = {"artist": "Model Y", "description": "AIGC label", "copyright": "Studio X", "title": "Theirs"}
    kept = film(theirs, movflags=movflags)
    made = copied(tmp_path, kept)
    told, frames = shown(made)
    assert frames == shown(kept)[1]
    assert {name: told[name] for name in ("artist", "description", "copyright")}.items() <= theirs.items()
    assert told["title"] == FACTS["prompt"]
    assert json.loads(told["comment"]) == FACTS
    assert facts_in(made) == FACTS
    assert b"Theirs" in made


def test_a_film_keeps_its_cover(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.effect_noise((8, 8), 60).save(out, "PNG")
    data = struct.pack(">I4sII", len(out.getvalue()) + 16, b"data", 14, 0) + out.getvalue()
    kept = with_item(film({"artist": "Ann"}), struct.pack(">I4s", len(data) + 8, b"covr") + data)
    with av.open(io.BytesIO(copied(tmp_path, kept))) as opened:
        cover = opened.streams.video[1]
        assert cover.codec_context.name == "png"
        assert (cover.width, cover.height) == (8, 8)


def test_a_workflow_in_a_film_s_comment_stays_there(tmp_path: Path) -> None:
    made = copied(tmp_path, film({"comment": WORKFLOW}))
    told, _ = shown(made)
    assert (told["comment"], told["title"]) == (WORKFLOW, FACTS["prompt"])
    assert facts_in(made) == FACTS


@pytest.mark.parametrize("movflags", ["use_metadata_tags", "use_metadata_tags+faststart"])
def test_a_film_keeps_the_workflow_in_its_own_keys(tmp_path: Path, movflags: str) -> None:
    kept = film({"workflow": WORKFLOW, "prompt": '{"3": 1}', "title": "Theirs"}, movflags=movflags)
    made = copied(tmp_path, kept)
    assert shown(made) == shown(kept)
    assert facts_in(made) == FACTS


def test_a_quicktime_film_keeps_its_names(tmp_path: Path) -> None:
    kept = film({"artist": "Ann"}, format="mov")
    made = copied(tmp_path, kept)
    assert shown(made)[0]["artist"] == "Ann"
    assert shown(made)[1] == shown(kept)[1]
    assert facts_in(made) == FACTS


def test_a_film_whose_index_cannot_be_read_is_handed_out_byte_for_byte(tmp_path: Path) -> None:
    kept = bytearray(film({"artist": "Ann"}))
    at = kept.rindex(b"ilst") + 4
    kept[at : at + 4] = (2**31).to_bytes(4, "big")
    assert copied(tmp_path, bytes(kept)) == kept
    with pytest.raises(ValueError, match="box"):
        tagged(b"\0\0\0\x10moov\0\0\0\x05udta", {}, start=0)


def picture(kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image = Image.effect_noise((33, 17), 40).convert("RGB")
    exif = Image.Exif()
    exif[0x010E], exif[0x8298] = f"workflow:{WORKFLOW}", "Studio X"
    if kind == "PNG":
        text = PngInfo()
        text.add_text("workflow", WORKFLOW)
        text.add_text("prompt", '{"3": 1}', zip=True)
        text.add_itxt("parameters", "風筝, Steps: 20")
        if xmp := more.pop("xmp", None):
            text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        more["pnginfo"] = text
    image.save(out, kind, icc_profile=RGB, exif=exif, **more)
    return out.getvalue()


@pytest.mark.parametrize("xmp", [None, MAKERS_XMP.encode()])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_keeps_its_maker_s_words_beside_ours(tmp_path: Path, kind: str, xmp: bytes | None) -> None:
    kept = picture(kind, **({} if xmp is None else {"xmp": xmp}))
    made = copied(tmp_path, kept)
    with Image.open(io.BytesIO(kept)) as before, Image.open(io.BytesIO(made)) as after:
        assert after.tobytes() == before.tobytes()
        assert after.info["icc_profile"] == RGB
        assert dict(after.getexif()) == dict(before.getexif()) != {}
        for name in ("workflow", "prompt", "parameters") if kind == "PNG" else ():
            assert after.info[name] == before.info[name]
        written = after.info.get("xmp") or after.info["XML:com.adobe.xmp"].encode()
    assert facts_in(made) == facts_in(written) == FACTS
    tree = ElementTree.fromstring(written.decode().partition("?>")[2].rpartition("<?")[0])
    names = [each.tag.rpartition("}")[2] for each in tree.iter()]
    assert names.count("description") == names.count("generation") == 1
    assert names.count("creator") == (xmp is not None)
    assert made.count(b"</x:xmpmeta>") == 1


@pytest.mark.parametrize("xmp", [b"", MAKERS_XMP.encode()])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "mp4"])
def test_a_copy_of_a_copy_tells_the_last_story_once(tmp_path: Path, kind: str, xmp: bytes) -> None:
    kept = film({}) if kind == "mp4" else picture(kind, **({"xmp": xmp} if xmp else {}))
    twice = copied(tmp_path, copied(tmp_path, kept), AGAIN)
    assert twice.count(b"<rushes:generation>") == 1
    assert facts_in(twice) == AGAIN
    assert (xmp == b"" or kind == "mp4") or b"<rdf:li>Ann</rdf:li>" in twice
    if kind == "mp4":
        told, frames = shown(twice)
        assert (told["title"], json.loads(told["comment"])) == ("another", AGAIN)
        assert frames == shown(kept)[1]


@pytest.mark.parametrize("xmp", [None, MAKERS_XMP.encode()])
def test_what_a_jpeg_has_no_room_for_is_shortened_and_said(tmp_path: Path, xmp: bytes | None) -> None:
    kept = picture("JPEG", **({} if xmp is None else {"xmp": xmp}))
    long = {"prompt": "😀" * 10_000, "negative_prompt": "&" * 10_000, "seed": 7}
    made = copy(tmp_path, kept, long)
    found = facts_in(b"".join(made.chunks()))
    assert found is not None
    assert set(made.shortened) == set(found["shortened"]) <= {"prompt", "negative_prompt"}
    assert found["seed"] == 7
    assert found["prompt"].endswith("…")
    assert len(found["prompt"]) > 3000
    with Image.open(io.BytesIO(b"".join(made.chunks()))) as after, Image.open(io.BytesIO(kept)) as before:
        assert after.tobytes() == before.tobytes()
    assert copy(tmp_path, picture("PNG"), long).shortened == ()


def test_a_jpeg_whose_maker_left_no_room_is_handed_out_byte_for_byte(tmp_path: Path) -> None:
    full = MAKERS_XMP.encode().replace(b"Ann", b"A" * (65_400 - len(MAKERS_XMP)))
    kept = picture("JPEG", xmp=full)
    made = copy(tmp_path, kept, {"prompt": "x" * 40})
    assert b"".join(made.chunks()) == kept


@pytest.mark.parametrize("strange", [MAKERS_XMP.encode("utf-16"), b"<rdf:RDF>", b"\xff</rdf:RDF>"])
def test_a_maker_s_packet_that_cannot_be_read_is_left_as_it_is(tmp_path: Path, strange: bytes) -> None:
    for kind in ("JPEG", "WEBP"):
        kept = picture(kind, xmp=strange)
        assert copied(tmp_path, kept) == kept


def test_bytes_behind_a_picture_stay(tmp_path: Path) -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        made = copied(tmp_path, picture(kind) + b"trailing bytes")
        assert made.endswith(b"trailing bytes")
        assert facts_in(made) == FACTS


def test_an_animated_picture_keeps_every_frame(tmp_path: Path) -> None:
    frames = [Image.effect_noise((32, 32), 10 * number + 5).convert("RGB") for number in range(4)]
    for kind in ("PNG", "WEBP"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=80)
        made = copied(tmp_path, out.getvalue())
        assert facts_in(made) == FACTS
        with Image.open(io.BytesIO(out.getvalue())) as before, Image.open(io.BytesIO(made)) as after:
            assert after.n_frames == before.n_frames == 4
            for number in range(4):
                before.seek(number)
                after.seek(number)
                assert after.tobytes() == before.tobytes()
