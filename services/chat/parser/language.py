"""The language of a message: a reply is in the same one."""

import re

_COMMAND = re.compile(r"/\s?[a-z]*+", re.I)
_QUOTED = re.compile(r'"[^"]*+"|“[^“”]*+”|«[^«»]*+»')
_WORD = re.compile(r"[^\W\d_]++")
_RUSSIAN = re.compile(r"[а-яё]++", re.I)
_OTHER_CYRILLIC = re.compile("[іїєґўјљњћђџ]", re.I)
ENGLISH_WORDS = frozenset(
    {
        "a", "an", "the", "and", "or", "but", "of", "in", "on", "at", "to", "for", "with",
        "without", "from", "by", "is", "are", "was", "be", "do", "does", "can", "could", "would",
        "will", "you", "your", "i", "me", "my", "we", "it", "its", "this", "that", "these",
        "please", "make", "made", "create", "draw", "show", "give", "want", "need", "like", "video",
        "image", "picture", "clip", "film", "photo", "hello", "hi", "hey", "thanks", "thank", "thx",
        "great", "good", "nice", "cool", "perfect", "awesome", "love", "help", "what", "how", "why",
        "where", "who", "yes", "no", "not", "longer", "shorter", "again", "another", "more", "seed",
        "same", "animate", "continue", "vertical", "square", "night", "day", "seconds", "amazing",
        "wonderful", "excellent", "lovely", "beautiful", "brilliant", "fantastic", "cheers",
        "looks", "exactly", "wow", "appreciate",
    }
)  # fmt: skip
MAX_WORDS = 200


def language_of(text: str) -> str | None:
    """`ru` or `en`; None where a message does not show it, as a command with a prompt in Latin letters."""
    text = text.strip()
    command = _COMMAND.match(text)
    said = text[command.end() :] if command else text
    if _OTHER_CYRILLIC.search(said):
        return None
    words = _WORD.findall(_QUOTED.sub(" ", said[:4_000]))[:MAX_WORDS]
    russian = [bool(_RUSSIAN.fullmatch(word)) for word in words]
    if russian and (russian[0] or sum(russian) * 2 > len(words)):
        return "ru"
    english = said is text and any(word.lower() in ENGLISH_WORDS for word in words)
    return "en" if english else None
