"""Time of day and weather, as in "make it night"."""

import re

SCENES: dict[str, tuple[str, str, str]] = {
    "night": (
        r"night(?:[\s-]?time)?|nocturnal|at night|by night|ночь|ночью|ночи|ночн[а-яё]+", "at night", "ночью"
    ),
    "dawn": (
        r"dawn|sunrise|(?:early )?morning|рассвет[а-яё]*|на рассвете|утро|утром|утренн[а-яё]+",
        "at dawn", "на рассвете",
    ),
    "day": (r"day(?:[\s-]?time|light)?|noon|midday|день|днём|днем|дневн[а-яё]+|полдень", "by day", "днём"),
    "dusk": (
        r"dusk|sunset|evening|twilight|golden hour|закат[а-яё]*|на закате|вечер(?:ом)?|вечерн[а-яё]+"
        r"|сумерк[а-яё]+",
        "at sunset", "на закате",
    ),
    "rain": (r"rain(?:y|ing)?|дождь|дождём|дождем|дождлив[а-яё]+|под дождём"
    r"|под дождем", "in the rain", "под дождём"),
    "snow": (r"snow(?:y|ing)?|winter|wintry|снег|снегом|снежн[а-яё]+|зима|зимой"
    r"|зимн[а-яё]+", "in the snow", "в снегу"),
    "fog": (r"fog(?:gy)?|mist(?:y)?|haz[ey]|туман|туманом|в тумане|туманн[а-яё]+", "in the fog", "в тумане"),
    "storm": (
        r"storm(?:y)?|thunder(?:storm)?|шторм(?:ом)?|штормов[а-яё]+|гроза|грозой|грозов[а-яё]+|бур[яюи]"
        r"|бурей",
        "in a storm", "в бурю",
    ),
    "clear": (r"sunny|clear|sunshine|солнечн[а-яё]+|ясн[а-яё]+|солнце", "on a clear day", "в ясный день"),
}  # fmt: skip
"""Code -> the pattern of a request, and the phrase for a prompt in English and in Russian."""

KINDS = ({"night", "dawn", "day", "dusk"}, {"rain", "snow", "fog", "storm", "clear"})
"""A scene replaces the others of its kind."""

_IN_PROMPTS = {
    "night": r"(?:at|by|in the) night|ночью",
    "dawn": r"(?:at|in the) (?:early )?(?:dawn|sunrise|morning)|на рассвете|утром|на восходе",
    "day": r"(?:by|during the) day|at (?:noon|midday)|in (?:the )?daylight|днём|днем|в полдень",
    "dusk": r"(?:at|in the) (?:dusk|sunset|twilight|evening)|на закате|вечером|в сумерках",
    "rain": r"in (?:the |heavy )?rain|под дожд[её]м|в дождь",
    "snow": r"in (?:the |heavy )?snow|in winter|в снегу|зимой|в снегопад",
    "fog": r"in (?:the |thick )?(?:fog|mist)|в тумане",
    "storm": r"in (?:a |the )?(?:thunder)?storm|в бурю|в шторм|в грозу",
    "clear": r"on a (?:clear|sunny) day|in (?:the )?sunshine|в (?:ясный|солнечный) день",
}


_PHRASES = {
    scene: re.compile(rf"(?<![\s,])[\s,]*+\b(?:{pattern})\b", re.I) for scene, pattern in _IN_PROMPTS.items()
}
_CYRILLIC = re.compile("[а-яё]", re.I)


def set_scene(prompt: str, scene: str) -> str:
    """Replaces the prompt's time of day or weather."""
    (kind,) = (kind for kind in KINDS if scene in kind)
    for other in kind:
        prompt = _PHRASES[other].sub("", prompt)
    _, english, russian = SCENES[scene]
    return f"{prompt.strip(' ,')}, {russian if _CYRILLIC.search(prompt) else english}"
