"""Texts in the manner of a form or a mail, made up: names from lists, keys computed."""

import random
from collections.abc import Callable

from stdnum import luhn
from stdnum.fr import nir

FIRST = ("Karim", "Sophie", "Jean-Pierre", "Aïssatou", "Élodie", "Mehdi", "Zoé", "Anne", "Gérard")
FAMILY = ("Vasselin", "DE KERSAINT", "Le Floc'h", "Ouattara", "BOURGUIGNAT", "Da Costa", "Ziani")
WAYS = ("rue des Cordeliers", "avenue Aristide Briand", "chemin du Moulin-Neuf", "bd Gambetta")
TOWNS = ("37000 Tours", "20200 Bastia", "56000 Vannes Cedex", "97400 Saint-Denis", "76600 Le Havre")
TEMPLATES = (
    ("Je m'appelle ", "NOM", ", mon NIR est ", "NIR", ". Qui gère ma paie ?"),
    ("L'agent ", "NOM", " (né le ", "DATE_NAISSANCE", ") est joignable au ", "TEL", "."),
    ("Nom : ", "NOM", "\nAdresse : ", "ADRESSE", "\nCourriel : ", "EMAIL", "\n"),
    ("Virement sur ", "IBAN", " pour ", "NOM", ", NUMEN ", "NUMEN", "."),
    ("Mme ", "NOM", " gare le véhicule ", "PLAQUE", " au ", "ADRESSE", "."),
    ("La facture du SIRET ", "SIRET", " est à envoyer à ", "EMAIL", " avant le 3 mai 2025."),
    ("Passeport ", "PASSEPORT", " et carte d'identité ", "CNI", " de ", "NOM", " à jour."),
)


def made_up(draw: random.Random) -> tuple[str, list[tuple[int, int, str]]]:
    """Return a text and its entities (start, end, label); a civility belongs to the name."""
    text, entities = "", []
    for part in draw.choice(TEMPLATES):
        if part not in MAKERS:
            text += part
            continue
        value = MAKERS[part](draw)
        start = len(text) - len("Mme ") if text.endswith("Mme ") else len(text)
        text += value
        entities.append((start, len(text), part))
    return text, entities


def grouped(draw: random.Random, number: str, *sizes: int) -> str:
    """Return a number in one piece, or cut in groups with a space or a dot between them."""
    gap = draw.choice(("", " ", "\u00a0"))
    parts, place = [], 0
    for size in sizes:
        parts.append(number[place : place + size])
        place += size
    return gap.join(parts)


def _nir(draw: random.Random) -> str:
    department = draw.choice(("37", "2A", "2B", "99", "01"))
    body = f"{draw.choice('12')}{draw.randrange(40, 99)}{draw.randrange(1, 13):02}{department}"
    body += f"{draw.randrange(1, 990):03}{draw.randrange(1, 999):03}"
    return grouped(draw, body + nir.calc_check_digits(body), 1, 2, 2, 2, 3, 3, 2)


def _iban(draw: random.Random) -> str:
    account = "".join(draw.choice("0123456789") for _ in range(21))
    bank, branch, number = int(account[:5]), int(account[5:10]), int(account[10:])
    bban = f"{account}{97 - (89 * bank + 15 * branch + 3 * number) % 97:02}"
    number_key = 98 - int(f"{bban}152700") % 97  # F is 15, R is 27
    return grouped(draw, f"FR{number_key:02}{bban}", 4, 4, 4, 4, 4, 4, 3)


def _siret(draw: random.Random) -> str:
    siren = "".join(draw.choice("123456789") for _ in range(8))
    siren += luhn.calc_check_digit(siren)
    nic = f"{siren}{draw.randrange(1, 999):04}"
    return grouped(draw, nic + luhn.calc_check_digit(nic), 3, 3, 3, 5)


def _letters(draw: random.Random, count: int) -> str:
    return "".join(draw.choice("ABCDEFGHJKLMNPQRSTVWXYZ") for _ in range(count))


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "NOM": lambda draw: f"{draw.choice(FIRST)} {draw.choice(FAMILY)}",
    "NIR": _nir,
    "IBAN": _iban,
    "SIRET": _siret,
    "TEL": lambda draw: draw.choice(
        (
            "06 39 98 {:02} {:02}",
            "+33 1 99 00 {:02} {:02}",
            "0261 91 {:02} {:02}",
            "06.39.98.{:02}.{:02}",
        )
    ).format(draw.randrange(100), draw.randrange(100)),
    "EMAIL": lambda draw: f"{draw.choice(('k.ziani', 'sophie-le_floch'))}@mairie.exemple.fr",
    "ADRESSE": lambda draw: (
        f"{draw.randrange(1, 400)}{draw.choice((', ', ' bis ', ' '))}"
        f"{draw.choice(WAYS)}{draw.choice((', ', ' ', ' - '))}{draw.choice(TOWNS)}"
    ),
    "DATE_NAISSANCE": lambda draw: draw.choice(
        ("12 août {}", "1er mars {}", "03/09/{}", "3.9.{}", "03-09-{}")
    ).format(draw.randrange(1950, 2006)),
    "NUMEN": lambda draw: (
        f"{draw.randrange(10, 99)}E{draw.randrange(10**6, 10**7)}{_letters(draw, 3)}"
    ),
    "PLAQUE": lambda draw: f"{_letters(draw, 2)}-{draw.randrange(100, 999)}-{_letters(draw, 2)}",
    "PASSEPORT": lambda draw: (
        f"{draw.randrange(10, 99)}{_letters(draw, 2)}{draw.randrange(10**4, 10**5)}"
    ),
    "CNI": lambda draw: f"{draw.randrange(10**11, 10**12)}",
}
