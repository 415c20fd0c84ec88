"""The words a scene is known by, in English and Russian, with what each is worth."""

Table = dict[str, dict[str, int]]

PLACES: Table = {
    "sea": {
        "sea": 4, "seas": 4, "ocean*": 4, "lighthouse*": 4, "coast*": 4, "beach*": 4, "wave": 3, "waves": 3,
        "shore*": 3, "island*": 3, "harbor*": 3, "harbour*": 3, "ship*": 3, "boat*": 2, "sail*": 3,
        "whale*": 3,
        "surf*": 2, "cliff*": 2,
        "море": 4, "моря": 4, "морю": 4, "морем": 4, "морск*": 4, "океан*": 4, "маяк*": 4, "берег*": 3,
        "пляж*": 4, "волн*": 3, "остров*": 3, "корабл*": 3, "лодк*": 2, "парус*": 3, "шторм*": 2, "прибо*": 2,
    },
    "lake": {
        "lake*": 5, "river*": 5, "pond*": 4, "stream*": 3, "fjord*": 5, "creek*": 4, "canoe*": 3,
        "озер*": 5, "река": 5, "реки": 5, "реке": 5, "реку": 5, "рекой": 5, "речк*": 5, "пруд*": 4,
        "фьорд*": 5,
        "ручей*": 4, "ручь*": 4,
    },
    "mountains": {
        "mountain*": 4, "peak*": 3, "summit*": 3, "alps": 4, "alpine": 3, "himalaya*": 4, "ridge*": 2,
        "valley*": 2, "volcano*": 3, "canyon*": 2, "glacier*": 3,
        "гор": 4, "гора": 4, "горы": 4, "горе": 4, "горах": 4, "горам*": 4, "горн*": 4, "вершин*": 3,
        "альп*": 4, "хребет*": 3, "хребт*": 3, "вулкан*": 3, "долин*": 2, "ледник*": 3,
    },
    "city": {
        "city*": 4, "cities": 4, "town*": 3, "street*": 3, "skyline*": 4, "skyscraper*": 4, "neon": 2,
        "urban*": 3, "downtown*": 4, "building*": 3, "cyberpunk": 4, "alley*": 3, "traffic": 3, "tokyo": 4,
        "roof*": 2, "metropolis": 4, "manhattan": 4, "window*": 1, "car": 2, "cars": 2, "taxi*": 3,
        "город*": 4, "улиц*": 3, "небоскреб*": 4, "неон*": 2, "квартал*": 3, "здани*": 3, "москв*": 4,
        "киберпанк*": 4, "мегаполис*": 4, "крыш*": 2, "машин*": 2,
    },
    "forest": {
        "forest*": 4, "wood": 2, "woods": 4, "woodland*": 4, "tree": 2, "trees": 3, "pine*": 3, "jungle*": 4,
        "taiga": 4, "birch*": 3, "fir": 3, "firs": 3, "spruce*": 3, "campfire*": 2, "bonfire*": 2, "wolf": 2,
        "wolves": 2, "deer": 2, "fox": 2, "bear": 2, "camp": 2, "tent*": 2,
        "лес": 4, "леса": 4, "лесу": 4, "лесн*": 4, "лесом": 4, "дерев*": 3, "сосн*": 3, "ель": 3, "ели": 3,
        "елк*": 3, "тайг*": 4, "берез*": 3, "костер*": 2, "костр*": 2, "волк*": 2, "олен*": 2, "джунгл*": 4,
        "чащ*": 4, "палатк*": 2,
    },
    "desert": {
        "desert*": 4, "dune*": 4, "sahara": 4, "sand": 3, "sands": 3, "sandy": 2, "camel*": 3, "caravan*": 3,
        "cactus*": 3, "oasis*": 3, "mars": 3, "mesa*": 3,
        "пустын*": 4, "дюн*": 4, "бархан*": 4, "песок": 3, "песк*": 3, "песч*": 3, "верблюд*": 3,
        "караван*": 3,
        "кактус*": 3, "сахар*": 4, "марс*": 3,
    },
    "space": {
        "space": 4, "spaceship*": 5, "planet*": 5, "galaxy": 5, "galaxies": 5, "cosmos": 5, "cosmic": 4,
        "rocket*": 5, "nebula*": 5, "astronaut*": 5, "orbit*": 4, "saturn*": 5, "asteroid*": 4, "universe": 4,
        "stars": 1, "starship*": 5, "interstellar": 5, "comet*": 3,
        "космос*": 5, "космич*": 5, "планет*": 5, "галактик*": 5, "ракет*": 5, "туманност*": 5, "орбит*": 4,
        "сатурн*": 5, "вселенн*": 4, "астронавт*": 5, "космонавт*": 5, "звездолет*": 5, "звезды": 1,
        "звезд": 1,
    },
    "field": {
        "field*": 4, "meadow*": 4, "grass*": 3, "prairie*": 4, "wheat*": 4, "farm*": 3, "hill": 3, "hills": 3,
        "countryside": 4, "steppe*": 4, "flower*": 3, "lavender": 3, "barn*": 3, "village*": 2,
        "windmill*": 4,
        "horse*": 2, "garden*": 2,
        "поле": 4, "поля": 4, "полей": 3, "полю": 4, "полем": 4, "полев*": 3, "луг": 4, "луга": 4, "лугу": 4,
        "лугов*": 4, "трав*": 3, "степ*": 4, "пшениц*": 4, "холм*": 3, "деревн*": 2, "цвет": 1, "цветы": 3,
        "цветов": 2, "мельниц*": 4, "лошад*": 2, "ферм*": 3, "сад": 2,
    },
}  # fmt: skip

TIMES: Table = {
    "dawn": {
        "dawn*": 4, "sunrise*": 4, "morning*": 3, "daybreak": 4, "early light": 3,
        "рассвет*": 4, "восход*": 4, "утро": 3, "утра": 3, "утром": 3, "утренн*": 3, "заря": 3,
    },
    "day": {
        "day": 2, "daylight": 3, "noon*": 4, "midday": 4, "sunny": 3, "daytime": 4, "afternoon*": 3,
        "blue sky": 3, "summer": 1,
        "день": 2, "днем": 3, "полдень*": 4, "солнечн*": 3, "летн*": 1, "лето": 1,
    },
    "dusk": {
        "dusk*": 4, "sunset*": 4, "evening*": 3, "twilight*": 4, "golden hour": 4, "sundown*": 4,
        "закат*": 4, "сумерк*": 4, "сумереч*": 4, "вечер*": 3,
    },
    "night": {
        "night*": 4, "midnight*": 4, "moon*": 3, "star": 2, "stars": 2, "starry": 4, "starlit": 4, "neon": 3,
        "aurora*": 4, "northern lights": 4, "campfire*": 2, "bonfire*": 2, "cyberpunk": 3, "dark": 2,
        "noir": 3, "lantern*": 1,
        "ночь*": 4, "ночи": 4, "ночн*": 4, "ночью": 4, "полноч*": 4, "лун*": 3, "звезд*": 2, "неон*": 3,
        "сияни*": 3, "костер*": 2, "костр*": 2, "темн*": 2,
    },
}  # fmt: skip

WEATHERS: Table = {
    "rain": {
        "rain*": 4, "drizzle*": 4, "downpour*": 4, "wet": 2, "umbrella*": 2,
        "дожд*": 4, "ливень*": 4, "ливн*": 4, "морос*": 4,
    },
    "snow": {
        "snow*": 4, "winter*": 3, "blizzard*": 5, "frost*": 3, "ice": 2, "icy": 2, "frozen": 2,
        "christmas": 2,
        "снег*": 4, "снеж*": 4, "зим*": 3, "метел*": 5, "вьюг*": 5, "мороз*": 3, "лед": 2, "льд*": 2,
    },
    "fog": {
        "fog*": 4, "mist*": 4, "haze": 3, "hazy": 3, "smoke": 1,
        "туман": 4, "тумане": 4, "туманн*": 3, "тумана": 4, "туманом": 4, "мгла": 4, "дымк*": 3,
    },
    "storm": {
        "storm*": 5, "thunder*": 5, "lightning*": 5, "tempest*": 5, "hurricane*": 5, "rough": 2,
        "шторм*": 5, "гроз*": 5, "бур": 3, "буря": 5, "бури": 5, "бурн*": 4, "молни*": 5, "ураган*": 5,
    },
}  # fmt: skip

FEATURES: Table = {
    "lighthouse": {"lighthouse*": 1, "маяк*": 1},
    "boat": {
        "boat*": 1, "ship*": 1, "sail*": 1, "yacht*": 1, "canoe*": 1, "лодк*": 1, "корабл*": 1, "парус*": 1,
        "яхт*": 1,
    },
    "fire": {
        "campfire*": 1, "bonfire*": 1, "fire": 1, "fires": 1, "костер*": 1, "костр*": 1, "огонь": 1,
        "огн*": 1,
    },
    "birds": {
        "bird*": 1, "gull*": 1, "seagull*": 1, "crow*": 1, "geese": 1, "птиц*": 1, "чайк*": 1,
        "журавл*": 1,
    },
    "moon": {"moon*": 1, "луна": 1, "луны": 1, "луной": 1, "лунн*": 1, "луне": 1},
    "sun": {"sun": 1, "sunset*": 1, "sunrise*": 1, "солнц*": 1, "закат*": 1, "рассвет*": 1, "восход*": 1},
    "stars": {"star": 1, "stars": 1, "starry": 1, "milky way": 1, "звезд*": 1, "млечн*": 1},
    "aurora": {"aurora*": 1, "northern lights": 1, "polar lights": 1, "сияни*": 1},
    "rocket": {"rocket*": 1, "spaceship*": 1, "starship*": 1, "ракет*": 1, "звездолет*": 1},
    "planet": {"planet*": 1, "saturn*": 1, "ringed": 1, "планет*": 1, "сатурн*": 1},
    "ring": {"ring": 1, "rings": 1, "ringed": 1, "saturn*": 1, "кольц*": 1, "сатурн*": 1},
    "neon": {"neon": 1, "cyberpunk": 1, "неон*": 1, "киберпанк*": 1},
    "clouds": {"cloud*": 1, "overcast": 1, "облак*": 1, "облач*": 1, "тучи": 1},
    "cabin": {"cabin*": 1, "house*": 1, "hut": 1, "cottage*": 1, "barn*": 1, "дом": 1, "домик*": 1, "изб*": 1,
              "хижин*": 1},
    "tent": {"tent*": 1, "camp": 1, "camping": 1, "палатк*": 1},
    "windmill": {"windmill*": 1, "мельниц*": 1},
    "caravan": {"camel*": 1, "caravan*": 1, "верблюд*": 1, "караван*": 1},
    "flowers": {"flower*": 1, "lavender": 1, "poppy": 1, "poppies": 1, "цветы": 1, "цветов": 1, "маки": 1},
    "lightning": {"lightning*": 1, "thunder*": 1, "молни*": 1, "гроз*": 1},
}  # fmt: skip

MOVES: Table = {
    "in": {
        "zoom in": 4, "zooming in": 4, "zooms in": 4, "dolly": 2, "dolly in": 4, "dolly forward": 4,
        "push in": 4, "pushing in": 4, "forward": 2, "approach*": 2, "fly through": 3, "flying through": 3,
        "приближ*": 3, "наезд*": 4, "вперед": 2, "зум": 2,
    },
    "out": {
        "zoom out": 5, "zooming out": 5, "zooms out": 5, "dolly out": 5, "pull back": 5, "pulling back": 5,
        "pull out": 5, "pulls back": 5, "backward*": 3, "dolly back*": 5,
        "отъезд*": 4, "отдал*": 3, "назад": 2,
    },
    "right": {
        "pan right": 5, "panning right": 5, "pans right": 5, "pan": 2, "panning": 2, "tracking shot": 2,
        "left to right": 4, "truck right": 5, "slow pan": 2, "панорам*": 2, "вправо": 4, "направо": 4,
    },
    "left": {
        "pan left": 5, "panning left": 5, "pans left": 5, "right to left": 4, "truck left": 5,
        "влево": 4, "налево": 4,
    },
    "up": {"tilt up": 5, "tilting up": 5, "tilt": 2, "crane up": 5, "rising shot": 3, "вверх": 4},
    "down": {"tilt down": 5, "tilting down": 5, "crane down": 5, "вниз": 4},
    "drift": {
        "drift*": 3, "handheld": 4, "floating": 2, "static": 2, "still camera": 3, "slow drift": 4,
        "дрейф*": 3, "плавно": 1, "паря*": 2,
    },
}  # fmt: skip

STYLES: Table = {
    "noir": {"noir": 3, "monochrome": 3, "black and white": 3, "bw": 3, "нуар*": 3, "черно": 2},
    "watercolor": {"watercolor*": 3, "watercolour*": 3, "aquarelle": 3, "акварел*": 3},
    "neon": {"neon": 2, "cyberpunk": 3, "synthwave": 3, "vaporwave": 3, "неон*": 2, "киберпанк*": 3},
    "pastel": {"pastel*": 3, "soft colors": 3, "soft colours": 3, "пастел*": 3},
    "vintage": {"vintage": 3, "sepia": 3, "retro": 2, "film grain": 2, "сепи*": 3, "ретро": 2},
}  # fmt: skip

DEFAULT_TIMES: dict[str, tuple[str, ...]] = {
    "sea": ("dusk", "dawn", "day", "night"),
    "lake": ("dawn", "dusk", "day"),
    "mountains": ("dawn", "dusk", "day"),
    "city": ("dusk", "night", "night"),
    "forest": ("dawn", "day", "dusk"),
    "desert": ("dusk", "dawn", "day"),
    "space": ("night",),
    "field": ("day", "dusk", "dawn"),
}
