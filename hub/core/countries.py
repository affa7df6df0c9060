"""Countries as people write them, and the repair of what spreadsheets do to postcodes."""

from __future__ import annotations

import re

from hub.core.csv_aliases import normalise

# Names in English and the country's own and neighbouring languages; ISO 3166-1 alpha-3.
_NAMES: dict[str, str] = {
    "AT": "AUT|Austria|Österreich|Oesterreich|Autriche|Oostenrijk|Itävalta",
    "AU": "AUS|Australia|Australien|Australie|Australië",
    "BE": "BEL|Belgium|België|Belgique|Belgien|Bélgica|Belgio|Belgia",
    "CA": "CAN|Canada|Kanada|Canadá",
    "CH": "CHE|Switzerland|Schweiz|Suisse|Svizzera|Suiza|Zwitserland|Sveitsi",
    "CZ": "CZE|Czech Republic|Czechia|Česko|Tschechien|Tchéquie",
    "DE": "DEU|Germany|Deutschland|Allemagne|Alemania|Germania|Duitsland|Saksa|Tyskland|D",
    "DK": "DNK|Denmark|Danmark|Dänemark|Danemark|Dinamarca|Danimarca|Denemarken|Tanska",
    "EE": "EST|Estonia|Eesti|Estland|Estonie|Viro",
    "ES": "ESP|Spain|España|Spanien|Espagne|Spagna|Spanje|Espanja",
    "FI": "FIN|Finland|Suomi|Finnland|Finlande|Finlandia",
    "FR": "FRA|France|Frankreich|Francia|Frankrijk|Ranska|France métropolitaine",
    "GB": "GBR|UK|United Kingdom|Great Britain|Britain|England|Scotland|Wales|U.K.|GB"
    "|Northern Ireland|Vereinigtes Königreich|Grossbritannien|Royaume-Uni|Reino Unido"
    "|Regno Unito|Verenigd Koninkrijk|Iso-Britannia",
    "IE": "IRL|Ireland|Republic of Ireland|Éire|Irland|Irlande|Irlanda|Ierland",
    "IT": "ITA|Italy|Italia|Italien|Italie|Italië",
    "LI": "LIE|Liechtenstein|FL",
    "LU": "LUX|Luxembourg|Luxemburg|Luxemburgo|Lussemburgo",
    "NL": "NLD|Netherlands|The Netherlands|Nederland|Holland|Niederlande|Pays-Bas"
    "|Países Bajos|Paesi Bassi|Alankomaat",
    "NO": "NOR|Norway|Norge|Norwegen|Norvège|Noruega|Norvegia|Noorwegen|Norja",
    "NZ": "NZL|New Zealand|Aotearoa|Neuseeland|Nouvelle-Zélande|Nueva Zelanda|Nuova Zelanda",
    "PL": "POL|Poland|Polska|Polen|Pologne|Polonia|Puola",
    "PT": "PRT|Portugal|Portogallo",
    "SE": "SWE|Sweden|Sverige|Schweden|Suède|Suecia|Svezia|Zweden|Ruotsi",
    "US": "USA|United States|United States of America|U.S.|U.S.A.|America|Vereinigte Staaten"
    "|États-Unis|Estados Unidos|EE.UU.|Stati Uniti|Verenigde Staten|Yhdysvallat",
    "IN": "IND|India|Indien|Inde",
    "SG": "SGP|Singapore|Singapur|Singapour",
    "ZA": "ZAF|South Africa|Südafrika|Afrique du Sud",
    "AE": "ARE|United Arab Emirates|UAE",
    "JP": "JPN|Japan|Japón|Japon",
    "MY": "MYS|Malaysia",
    "MX": "MEX|Mexico|México|Mexiko|Mexique",
    "BR": "BRA|Brazil|Brasil|Brasilien|Brésil",
    "HK": "HKG|Hong Kong",
    "PH": "PHL|Philippines",
}
_BY_WORD = {
    normalise(word): code for code, names in _NAMES.items() for word in (code, *names.split("|"))
}
MONTH_FIRST = frozenset({"US", "PH"})
HOUSE_FIRST = frozenset({"US", "CA", "AU", "NZ", "GB", "IE", "FR", "IN", "SG", "ZA", "LU"})
CURRENCIES = {
    **dict.fromkeys(("AT", "BE", "DE", "EE", "ES", "FI", "FR", "IE", "IT", "LU"), "EUR"),
    **dict.fromkeys(("NL", "PT"), "EUR"),
    "AU": "AUD",
    "NZ": "NZD",
    "GB": "GBP",
    "US": "USD",
    "CA": "CAD",
    "CH": "CHF",
    "LI": "CHF",
    "SE": "SEK",
    "NO": "NOK",
    "DK": "DKK",
    "PL": "PLN",
    "CZ": "CZK",
    "IN": "INR",
    "SG": "SGD",
    "ZA": "ZAR",
    "AE": "AED",
    "JP": "JPY",
    "MY": "MYR",
}
# How many digits a postcode has where spreadsheets eat the leading zero. Zeros lead in
# Darwin 0800, Boston 02139, Dresden 01067, Bourg-en-Bresse 01000, Helsinki 00100.
_DIGITS = {
    "AU": 4,
    "NZ": 4,
    "US": 5,
    "DE": 5,
    "FR": 5,
    "FI": 5,
    "ES": 5,
    "IT": 5,
    "EE": 5,
}
_US_ZERO = frozenset({"MA", "RI", "NH", "ME", "VT", "CT", "NJ", "PR", "VI", "AE", ""})
_SHAPES = {
    "GB": r"(GIR|BFPO|[A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2}|\d{1,4})",
    "CA": r"([A-Z]\d[A-Z])(\d[A-Z]\d)",
    "NL": r"(\d{4})([A-Z]{2})",
    "IE": r"([A-Z]\d[\dW])([A-Z\d]{4})",
    "SE": r"(\d{3})(\d{2})",
}


def country_code(text: str) -> str | None:
    """ISO 3166-1 alpha-2 of a country as written. ``None``: not one we know."""
    word = normalise(text)
    if len(text.strip()) == 2 and text.strip().isascii() and text.strip().isalpha():
        return _BY_WORD.get(word, text.strip().upper())
    return _BY_WORD.get(word)


def repaired_postcode(
    text: str, country: str, region: str = "", *, zeros_kept: bool = False
) -> str:
    """``text`` in the country's spelling, with zeros a spreadsheet ate put back.

    ``zeros_kept``: others in its column begin with 0, so that four digits are likelier to
    be a neighbouring country's than one of ours that lost its zero.
    """
    code = re.sub(r"\.0$", "", text.strip()).upper()
    if country in _SHAPES:
        compact = re.sub(r"[\s-]", "", code)
        if shape := re.fullmatch(_SHAPES[country], compact):
            return f"{shape[1]} {shape[2]}"
        return code
    code = re.sub(r"^(D|F|FI|FIN|A|CH|I|E|L|B)-(?=\d)", "", code)
    digits = _DIGITS.get(country)
    if not digits or not code.isascii() or not code.isdigit() or len(code) >= digits:
        return code
    missing = digits - len(code)
    if zeros_kept and digits == 5 and missing == 1:
        return code
    state = region.strip().upper()
    plausible = {
        "AU": missing == 1 and state in ("NT", "NORTHERN TERRITORY", "ACT", ""),
        "US": missing <= 2 and (state in _US_ZERO or len(state) > 2),
        "FI": missing <= 2,
    }.get(country, missing == 1)
    return code.zfill(digits) if plausible else code
