"""The English names of common languages of articles.

They are those of CLDR (https://www.unicode.org/cldr/charts/latest/summary/en.html). Babel has them for all
languages, but takes 8 MB of memory, which a site whose interface is in English does not need otherwise.
"""

from __future__ import annotations

ENGLISH_NAMES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bn": "Bangla",
    "ca": "Catalan",
    "cs": "Czech",
    "cy": "Welsh",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "ga": "Irish",
    "gl": "Galician",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "is": "Icelandic",
    "it": "Italian",
    "ja": "Japanese",
    "ka": "Georgian",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "ms": "Malay",
    "nb": "Norwegian Bokmål",
    "nl": "Dutch",
    "nn": "Norwegian Nynorsk",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sq": "Albanian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
_SCRIPTS = {"hans": "Simplified", "hant": "Traditional"}


def english_name(tag: str) -> str:
    """Return the English name of a language, such as "English (GB)"; an unknown tag unchanged."""
    language, _, rest = tag.partition("-")
    name = ENGLISH_NAMES.get(language.lower())
    if name is None:
        return tag
    return f"{name} ({_SCRIPTS.get(rest.lower(), rest)})" if rest else name
