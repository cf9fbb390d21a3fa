"""A small collection with judged queries: which posts, users or hashtags are relevant, and how much.

Grades: 2 is a best result, 1 is relevant, anything else is irrelevant.
"""

from dataclasses import dataclass
from math import log2

POSTS = {
    "kite": "A red kite circled above the vineyard this morning, the first one of the year.",
    "kites": "Watching kites over the ridge: two of them hunting side by side in the evening sun.",
    "kite_toy": "We built a paper kite and it stayed in the air for a whole minute. #diy",
    "red_barn": "The red barn at the end of the village was painted again, and there is a kite on its roof.",
    "run": "I went for a run along the river before work and feel great. #running",
    "running": "Running shoes wear out faster than I thought, running on gravel most of all. #running",
    "runs": "She runs the bakery on the corner and bakes the best bread in town. #bread",
    "bread": "Sourdough bread, day three: the starter smells of apples. Recipe: https://bread.example/starter #bread",
    "baking": "Baking for the whole street today, come by and take a loaf of bread.",
    "car": "My car broke down on the bridge and a stranger helped me push it.",
    "automobile": "The automobile museum opens again in spring with a hundred old engines.",
    "motor_car": "Grandfather still calls it his motor car, and polishes it on Sundays.",
    "train": "The night train to Vienna was late again, but the sunrise over the mountains made up for it. #vienna",
    "vienna": "Vienna in November: fog, coffee, and an opera ticket for ten euros. #vienna #opera",
    "coffee": "Coffee first, then everything else. #coffee",
    "cafe": "That café by the opera roasts its own beans and closes far too early.",
    "garden_de": "Heute haben wir im Garten Äpfel geerntet, und die Kinder haben Apfelkuchen gebacken.",
    "house_de": "Die alten Häuser in der Altstadt werden endlich renoviert, das freut alle Nachbarn sehr.",
    "house2_de": "Unser Haus am See hat jetzt ein neues Dach, und der Winter kann kommen.",
    "cheval_fr": "Les chevaux galopaient dans la prairie pendant que les enfants regardaient le coucher du soleil.",
    "libro_es": "Los libros que compramos ayer en la librería de la plaza son maravillosos y baratos.",
    "tokyo": "東京タワーへ行く。夜景がとてもきれいでした。",
    "kyoto": "京都の紅葉は今が見頃です。",
    "moscow": "Сегодня мы читали интересные книги в библиотеке, а потом гуляли по парку.",
    "arabic": "كِتَابَة الرسائل فن جميل يحتاج إلى الصبر والوقت",
    "emoji": "Launch day 🎉 thank you all!",
    "snow": "Snow on the tulips. In April. #weather",
    "storm": "The storm took the roof of the old mill, nobody was hurt. #weather #news",
    "python": "Python 3.11 is a quarter faster for our workers; the upgrade took an hour. #python",
    "snake": "Saw a python in the zoo today, six metres long and fast asleep.",
    "database": "Moving our database to a bigger machine tonight, expect slow pages. #maintenance",
    "databases": "A talk about databases: indexes, locks and why your query is slow. https://talks.example/db",
    "cooking": "Cooking lentils with cumin and lemon. Cheap, quick, good.",
    "cook": "The cook forgot the salt, nobody noticed.",
    "piano": "Practising the piano at night with headphones, the neighbours say thank you.",
}

# name → full name and bio
PEOPLE = {
    "ada_l": ("Ada Lovelace", "Analytical engines and poetry"),
    "adam": ("Adam Smith", "Markets"),
    "grace": ("Grace Hopper", "Compilers, and a nanosecond of wire"),
    "turing": ("Alan Turing", "Can machines think?"),
    "zola": ("Émile Zola", "Novels"),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A query and the grades of its results; `kind` is posts, users or hashtags."""

    q: str
    grades: dict[str, int]
    kind: str = "posts"


def _first(*keys: str, also: tuple[str, ...] = ()) -> dict[str, int]:
    return dict.fromkeys(also, 1) | dict.fromkeys(keys, 2)


QUERIES = [
    Judged("kite", _first("kite", "kite_toy", "red_barn", also=("kites",))),
    Judged("kites", _first("kites", also=("kite", "kite_toy", "red_barn"))),
    Judged('"red kite"', _first("kite")),
    Judged("“red kite”", _first("kite")),
    Judged("red kite", _first("kite", "red_barn")),
    Judged("kite -red", _first("kite_toy", also=("kites",))),
    Judged("kite –red", _first("kite_toy", also=("kites",))),
    Judged("paper kite", _first("kite_toy")),
    Judged("kite OR train", _first("kite", "kite_toy", "red_barn", "train", also=("kites",))),
    Judged("(kite OR train) red", _first("kite", "red_barn")),
    Judged("running", _first("running", also=("run", "runs"))),
    Judged("run", _first("run", also=("running", "runs"))),
    Judged("#running", _first("run", "running")),
    Judged("running -#running", _first("runs")),
    Judged("bread", _first("bread", "baking", "runs")),
    Judged("#bread", _first("bread", "runs")),
    Judged("bread has:link", _first("bread")),
    Judged("has:link", _first("bread", "databases")),
    Judged("baked", {"baking": 1, "runs": 1}),
    Judged("car", _first("car", "motor_car", also=("automobile",))),
    Judged("automobile", _first("automobile", also=("car", "motor_car"))),
    Judged('"motor car"', _first("motor_car")),
    Judged('"car"', _first("car", "motor_car")),
    Judged("vienna", _first("vienna", "train")),
    Judged("vienna coffee", _first("vienna")),
    Judged("#vienna -train", _first("vienna")),
    Judged("coffee", _first("coffee", "vienna")),
    Judged("café", _first("cafe")),
    Judged("CAFE", _first("cafe")),
    Judged("opera", _first("vienna", "cafe")),
    Judged("apfel lang:de", _first("garden_de")),
    Judged("äpfel", _first("garden_de")),
    Judged("haus", _first("house2_de", also=("house_de",))),
    Judged("lang:fr", _first("cheval_fr")),
    Judged("enfants", _first("cheval_fr")),
    Judged("libro", _first("libro_es")),
    Judged("タワー", _first("tokyo")),
    Judged("東京", _first("tokyo")),
    Judged("京都", _first("kyoto")),
    Judged("книга", _first("moscow")),
    Judged("كتابة", _first("arabic")),
    Judged("🎉", _first("emoji")),
    Judged("#weather", _first("snow", "storm")),
    Judged("#weather snow", _first("snow")),
    Judged("python", _first("python", "snake")),
    Judged("python zoo", _first("snake")),
    Judged("#python", _first("python")),
    Judged("database", _first("database", also=("databases",))),
    Judged("slow database", _first("database", also=("databases",))),
    Judged("cooking", _first("cooking", also=("cook",))),
    Judged("cook", _first("cook", also=("cooking",))),
    Judged("zebra", {}),
    Judged('"kite red"', {}),
    Judged("ada", _first("ada_l", "adam"), kind="users"),
    Judged("lovelace", _first("ada_l"), kind="users"),
    Judged("lovelase", _first("ada_l"), kind="users"),
    Judged("grace hop", _first("grace"), kind="users"),
    Judged("emile", _first("zola"), kind="users"),
    Judged("machines", _first("turing"), kind="users"),
    Judged("vie", _first("vienna"), kind="hashtags"),
    Judged("#run", _first("running"), kind="hashtags"),
]


def ndcg(grades: dict[str, int], found: list[str]) -> float:
    """Normalised discounted cumulative gain of the first ten results: 1.0 is the best possible order.

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002. If nothing is relevant,
    1.0 for finding nothing and 0.0 for anything else.
    """
    best = _gain(sorted(grades.values(), reverse=True))
    if not best:
        return 0.0 if found else 1.0
    return _gain([grades.get(key, 0) for key in found]) / best


def _gain(grades: list[int]) -> float:
    return sum((2.0**grade - 1) / log2(place + 2) for place, grade in enumerate(grades[:10]))
