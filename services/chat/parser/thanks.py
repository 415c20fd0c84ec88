"""Thanks and praise, in many wordings: every word must be known, and one of them must say it."""

import re

THANKS = frozenset(
    {
        "thanks", "thank", "thankyou", "thx", "tnx", "thanx", "ty", "tysm", "tyvm", "cheers",
        "appreciate", "appreciated", "grateful", "gracias", "merci", "danke", "cool", "great",
        "nice", "perfect", "good", "ok", "okay", "awesome", "amazing", "wonderful", "excellent",
        "lovely", "beautiful", "brilliant", "fantastic", "super", "love", "wow", "neat", "sweet",
        "gorgeous", "bravo", "stunning", "superb", "fabulous", "impressive", "incredible",
        "спасибо", "спасибочки", "спасибки", "спасиб", "пасиб", "пасибо", "спс", "благодарю",
        "благодарим", "благодарен", "благодарна", "благодарствую", "признателен", "признательна",
        "мерси", "круто", "крутяк", "отлично", "супер", "класс", "классно", "хорошо", "ок", "окей",
        "здорово", "прекрасно", "замечательно", "великолепно", "потрясающе", "шикарно", "шикарный",
        "огонь", "красота", "красиво", "прелесть", "молодец", "молодцы", "умница", "идеально",
        "превосходно", "чудесно", "восхитительно", "изумительно", "кайф", "офигенно", "нравится",
        "понравилось", "понравился", "понравилась", "ладно", "вау", "мило", "годно", "бомба",
        "обалденно",
    }
)  # fmt: skip
AROUND = frozenset(
    {
        "you", "so", "very", "much", "a", "lot", "lots", "all", "that", "this", "it", "is", "s",
        "re", "m", "ve", "for", "the", "video", "image", "picture", "clip", "film", "one", "help",
        "your", "helping", "really", "to", "i", "we", "job", "work", "well", "done", "many", "was",
        "looks", "look", "just", "what", "wanted", "exactly", "rushes", "man", "mate", "everyone",
        "bunch", "million", "oh", "yes", "yeah", "ah", "no", "and", "again", "my", "be", "am", "of",
        "dear", "friend", "made", "making", "are", "they", "these", "hi", "hello", "hey", "there",
        "guys", "ones", "images", "videos", "pictures", "result", "results", "too", "truly",
        "turned", "out", "works", "came", "большое", "огромное", "большущее", "тебе", "вам", "вас",
        "тебя", "очень", "всё", "все", "это", "эта", "этот", "за", "видео", "ролик", "картинку",
        "картинка", "картинки", "фото", "помощь", "так", "как", "надо", "то", "что", "нужно",
        "получилось", "получился", "получилась", "вышло", "вышел", "вышла", "работа", "работу",
        "мне", "нам", "просто", "какая", "какое", "какой", "да", "о", "ой", "ну", "и", "я", "от",
        "души", "всей", "сердца", "заранее", "именно", "друг", "дружище", "вы", "ты", "привет",
        "реально", "действительно", "нет", "не", "стоит", "bye", "goodbye", "пока", "до", "свидания",
    }
)  # fmt: skip
PRAISING = re.compile(
    r"(?:отличн|классн|прекрасн|крут|замечательн|великолепн|чудесн|красив|потрясающ|шикарн)[а-я]{2,4}"
)
SIGNS = frozenset("👍🙏🔥😍👏🎉💯🥰😊😀😁🙂🤩👌💪❤♥💖💙💚💛🧡💜🤗😻🙌✨")
PHRASES = re.compile(
    r"\b(?:(?:thanks|thank you|thx)[\s,]{1,3}again|well done|(?:ещё|еще) раз спасибо"
    r"|спасибо,? (?:ещё|еще) раз|то,? что (?:надо|нужно))\b"
)
"""Whose words alone mean something else."""
MAX_CHARACTERS, MAX_WORDS = 200, 14
_WORD = re.compile(r"\w++")
_FIRST = re.compile(
    r"(?:many )?(?:thanks|thank you|thx|cheers|great|cool|nice|perfect|awesome|спасибо|благодарю|отлично"
    r"|супер|круто|класс|классно|здорово)(?: (?:a lot|very much|so much|again|большое|огромное))?"
    r"\s*+[,.!;–—]++\s*+(?=\S)",
    re.I,
)


def is_thanks(text: str) -> bool:
    if len(text) > MAX_CHARACTERS or "?" in text:
        return False
    text = text.lower()
    said = PHRASES.sub(" thanks ", text)
    words = _WORD.findall(said)
    if not words:
        return any(each in SIGNS for each in text)
    if len(words) > MAX_WORDS or (said == text and "again" in words):
        return False
    praise = [word in THANKS or bool(PRAISING.fullmatch(word)) for word in words]
    return any(praise) and all(one or word in AROUND for one, word in zip(praise, words, strict=True))


def without_thanks(text: str) -> str:
    """What follows the thanks: "thanks, make it longer"."""
    found = _FIRST.match(text)
    return text[found.end() :] if found else text
