"""Shows a film's frames as a player does: upright and with square pixels."""

import struct

from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from PIL import Image

_HALF = 0x8000
"""Of 1.0, as the display matrix writes it."""
_COLOURS = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 9: Colorspace.BT2020}
"""By ISO/IEC 23091-2, table 4."""
_TURNS = {
    (1, 0, 0, 1): None,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}
"""By the signs of the display matrix (ISO 14496-12, 8.3.2)."""
_SIDEWAYS = frozenset(turn for matrix, turn in _TURNS.items() if not matrix[0])


def displayed_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    width, height = _square(frame, stream)
    return (height, width) if _turn(frame) in _SIDEWAYS else (width, height)


def displayed(frame: VideoFrame, stream: VideoStream, *, max_width: int | None = None) -> Image.Image:
    """Takes an untagged film for BT.709 from 720 lines on, as players do."""
    width, height = _square(frame, stream)
    turn = _turn(frame)
    across = height if turn in _SIDEWAYS else width
    if max_width is not None and across > max_width:
        share = max_width / across
        width, height = max(1, round(width * share)), max(1, round(height * share))
    guess = Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601
    colours = _COLOURS.get(int(frame.colorspace), guess)
    pixels = frame.to_ndarray(width=width, height=height, format="rgb24", src_colorspace=colours, threads=1)
    image = Image.fromarray(pixels)
    return image if turn is None else image.transpose(turn)


def _square(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """The size with square pixels: one side grows, as HTML's `videoWidth` has it."""
    ratio = stream.sample_aspect_ratio or 1
    if ratio >= 1:
        return round(frame.width * ratio), frame.height
    return frame.width, round(frame.height / ratio)


def _turn(frame: VideoFrame) -> Image.Transpose | None:
    # `frame.side_data` would be a cycle: the frame and its scaler's threads would outlive it
    side_data = SideDataContainer(frame)  # type: ignore[call-arg]  # PyAV's stub lacks the constructor
    data = side_data.get(SideDataType.DISPLAYMATRIX)
    if data is None:
        return None
    numbers = struct.unpack("=9i", bytes(data)[:36])
    signs = [(each > _HALF) - (each < -_HALF) for each in (numbers[0], numbers[1], numbers[3], numbers[4])]
    return _TURNS.get((signs[0], signs[1], signs[2], signs[3]))
