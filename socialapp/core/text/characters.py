"""Character classes, as parts of patterns for the `regex` package (version 1 syntax: sets can be subtracted), and how
long a character can be.

`regex` and `unicodedata2` follow newer versions of Unicode than the interpreter's standard library.
"""

from typing import Final

# Scripts that are written without spaces, and Hangul, whose particles follow a name without one: "谢谢@bob", "@bob님".
UNSPACED: Final = (
    r"\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Hangul}\p{Script=Thai}"
    r"\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Javanese}\p{Script=Yi}"
    r"\p{Script=Tai_Le}\p{Script=New_Tai_Lue}\p{Script=Tai_Tham}\p{Script=Tai_Viet}\u3005\u3007\u3099\u309a\u30fc"
)
# Emoji contain marks too (variation selectors, the keycap), which do not end a word.
WORD: Final = r"[\p{L}\p{N}\p{M}_]--[\p{Default_Ignorable_Code_Point}\p{Me}]"
# Marks of Japanese that Unicode assigns to no script: half-width voice and length marks, repeat marks, 〆 and 〼.
_KANA_MARKS: Final = r"\u3006\u3031-\u3035\u303c\uff70\uff9e\uff9f"
# Characters of words that are written with spaces around them.
SPACED_WORD: Final = rf"[{WORD}]--[{UNSPACED}{_KANA_MARKS}]"

AT_SIGNS: Final = "@\ufe6b\uff20"
NUMBER_SIGNS: Final = "#\ufe5f\uff03"

# How many characters, such as a letter and its marks, may be typed for one that counts. Source: UAX #15, section 9.
LONGEST_DECOMPOSITION: Final = 4
