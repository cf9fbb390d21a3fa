"""Classes of characters, as parts of patterns for the `regex` package (version 1 syntax: sets can be subtracted).

`regex` and `unicodedata2` follow Unicode more closely than the standard library, which is as old as the interpreter.
"""

from typing import Final

# Scripts that are written without spaces, and Hangul, whose particles follow a name without one: "谢谢@bob", "@bob님".
UNSPACED: Final = (
    r"\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Hangul}\p{Script=Thai}"
    r"\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Javanese}\p{Script=Yi}"
    r"\p{Script=Tai_Le}\p{Script=New_Tai_Lue}\p{Script=Tai_Tham}\p{Script=Tai_Viet}\u3005\u3007\u3099\u309a\u30fc"
)
# Emoji are built with marks too (variation selectors, the keycap): those end no word.
WORD: Final = r"[\p{L}\p{N}\p{M}_]--[\p{Default_Ignorable_Code_Point}\p{Me}]"
# What belongs to a word that is written with spaces around it.
SPACED_WORD: Final = rf"[{WORD}]--[{UNSPACED}]"

AT_SIGNS: Final = "@\ufe6b\uff20"
NUMBER_SIGNS: Final = "#\ufe5f\uff03"
