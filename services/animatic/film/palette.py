"""Colours by time of day, weather and style; everything a scene is painted with."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from services.animatic.film.colour import Rgb, adjust, mix, rgb
from services.animatic.film.prompt_parser import Reading

Stops = tuple[tuple[float, Rgb], ...]
Change = Callable[[Rgb], Rgb]


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """`sky` runs from the zenith (0) to the horizon (1). `sun` is the light in the sky, by night the moon."""

    sky: Stops
    sun: Rgb
    haze: Rgb
    ground: Rgb
    shade: Rgb
    water: Rgb
    lamp: Rgb
    brightness: float


def palette_of(reading: Reading, seed: int) -> Palette:
    dice = Random(f"palette/{seed}")
    colours = dice.choice(_BY_TIME[reading.time])
    turn = dice.uniform(-0.018, 0.018)
    colours = _each(colours, lambda colour: adjust(colour, hue=turn))
    colours = replace(colours, ground=mix(colours.ground, _local(reading), _LOCAL_SHARE[reading.time]))
    return _styled(_weathered(colours, reading), reading.style)


def _palette(
    sky: str, sun: str, haze: str, ground: str, shade: str, water: str, lamp: str, bright: float
) -> Palette:
    codes = [rgb(code) for code in sky.split()]
    places = (0.0, 0.38, 0.68, 0.88, 1.0)
    return Palette(
        sky=tuple(zip(places, codes, strict=True)),
        sun=rgb(sun),
        haze=rgb(haze),
        ground=rgb(ground),
        shade=rgb(shade),
        water=rgb(water),
        lamp=rgb(lamp),
        brightness=bright,
    )


_BY_TIME: dict[str, tuple[Palette, ...]] = {
    "dawn": (
        _palette("34477a 6f7ba8 d9a5a6 f6c9a4 ffe0b5",
                 "fff0cc", "e9b9a8", "3b3350", "1d1b30", "48618c", "ffcf7d", 0.8),
        _palette("3d5a80 8fa6bd e8c3b0 f9d3ad fde4c2",
                 "fff3d6", "ecc9b5", "3f4258", "1e2233", "577a98", "ffcf7d", 0.85),
        _palette("40356f 8b6a9e df94a0 f7b895 ffd9a3",
                 "ffe9bd", "e5a4a2", "40284d", "1f162e", "57588f", "ffcf7d", 0.75),
    ),
    "day": (
        _palette("2a6cae 5b9dd2 9cc8e4 cbe1ea e8eeea",
                 "fff8e0", "c3dae3", "2f5a54", "173236", "2b6f92", "fff0c0", 1.0),
        _palette("3a7fb8 6db0d8 a9d3e3 d6e6e4 f1eddc",
                 "fff8e0", "cfe0df", "3d5e48", "1b3530", "2f8094", "fff0c0", 1.0),
    ),
    "dusk": (
        _palette("1f1f4d 5a3674 c0506b f08a52 ffc271",
                 "ffe0a0", "d97a64", "3a1f45", "170f24", "4a3468", "ffc465", 0.6),
        _palette("182a4f 41507f a86a80 ea9468 ffcf86",
                 "ffe6ac", "cf8a7c", "2f2746", "131325", "35466f", "ffc465", 0.6),
        _palette("2b1b45 7a2f5e cf4a4a f58a3c ffbe5a",
                 "ffdc90", "dc6a50", "421a3c", "1a0c1f", "562b58", "ffc465", 0.6),
    ),
    "night": (
        _palette("040a1a 0a1a37 15325a 24507c 3c6c92",
                 "eaf1ff", "264a72", "0e1d33", "050a14", "123050", "ffd58a", 0.25),
        _palette("070820 131540 26285f 3d3f7e 5b5a95",
                 "eeeaff", "38396f", "141433", "070716", "1d2452", "ffd58a", 0.25),
        _palette("03101a 072436 0f3f52 1d5a66 357a7c",
                 "e6fbff", "1c5360", "0a2029", "040c12", "0d3947", "ffd58a", 0.25),
    ),
}  # fmt: skip

_LOCAL: dict[str, str] = {
    "sea": "2b3c4a", "lake": "2a4038", "mountains": "3a4358", "city": "33384e", "forest": "23402f",
    "desert": "a5623a", "space": "141428", "field": "4d6b2f",
}  # fmt: skip
_LOCAL_SHARE = {"dawn": 0.35, "day": 0.7, "dusk": 0.3, "night": 0.15}


def _local(reading: Reading) -> Rgb:
    if reading.weather == "snow":
        return rgb("8fa3b8")
    return rgb(_LOCAL[reading.place])


def _weathered(colours: Palette, reading: Reading) -> Palette:
    match reading.weather:
        case "storm":
            dull = _each(
                colours,
                lambda colour: adjust(colour, saturation=0.62, value=0.62 + 0.3 * (reading.time == "night")),
            )
            return replace(dull, sun=colours.sun, lamp=colours.lamp, brightness=colours.brightness * 0.7)
        case "rain":
            dull = _each(colours, lambda colour: adjust(colour, saturation=0.7, value=0.8))
            return replace(dull, lamp=colours.lamp, brightness=colours.brightness * 0.7)
        case "fog":
            veil = mix(adjust(colours.haze, saturation=0.45), colours.sky[3][1], 0.35)
            veiled = tuple((place, mix(colour, veil, 0.35 + 0.6 * place)) for place, colour in colours.sky)
            return replace(colours, sky=veiled, haze=veil, sun=mix(colours.sun, veil, 0.25))
        case "snow":
            cold = _each(colours, lambda colour: mix(adjust(colour, saturation=0.7), rgb("9fb4cc"), 0.12))
            return replace(cold, lamp=colours.lamp, sky=_lighter_horizon(cold.sky))
    return colours


def _lighter_horizon(sky: Stops) -> Stops:
    return tuple((place, mix(colour, rgb("dfe6ee"), 0.18 * place)) for place, colour in sky)


def _styled(colours: Palette, style: str) -> Palette:
    match style:
        case "noir":
            return _each(colours, lambda colour: adjust(mix(colour, _grey(colour), 0.92), value=0.94))
        case "watercolor":
            return _each(colours, lambda colour: mix(adjust(colour, saturation=0.72), rgb("f4ede0"), 0.22))
        case "pastel":
            return _each(colours, lambda colour: mix(adjust(colour, saturation=0.75), rgb("fbe9ee"), 0.34))
        case "vintage":
            return _each(colours, lambda colour: mix(adjust(colour, saturation=0.6), rgb("c79a5f"), 0.2))
        case "neon":
            vivid = _each(colours, lambda colour: mix(adjust(colour, saturation=1.2), rgb("3a1f8f"), 0.16))
            return replace(
                vivid,
                sky=_glowing(vivid.sky),
                haze=mix(adjust(vivid.haze, value=1.25), rgb("d04a9a"), 0.3),
                shade=mix(vivid.shade, rgb("06040f"), 0.5),
                lamp=rgb("ff5fc8"),
                sun=mix(colours.sun, rgb("ff6ad5"), 0.5),
            )
    return colours


def _glowing(sky: Stops) -> Stops:
    return tuple((place, mix(colour, rgb("e0458f"), 0.5 * place**3)) for place, colour in sky)


def _grey(colour: Rgb) -> Rgb:
    light = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
    return light, light, light


def _each(colours: Palette, change: Change) -> Palette:
    return replace(
        colours,
        sky=tuple((place, change(colour)) for place, colour in colours.sky),
        sun=change(colours.sun), haze=change(colours.haze), ground=change(colours.ground),
        shade=change(colours.shade), water=change(colours.water), lamp=change(colours.lamp),
    )  # fmt: skip
