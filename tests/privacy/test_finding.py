"""What is personal data, of which kind, and what only looks like it."""

import random

import pytest

from edge_slm.privacy.mask import mask
from tests.privacy.samples import made_up

FOUND = [
    # Names
    ("je m'appelle karim benali et je débute", "NOM", "karim benali"),
    ("JE M'APPELLE KARIM BENALI ET JE DÉBUTE", "NOM", "KARIM BENALI"),
    ("Madame de Kersaint est absente", "NOM", "Madame de Kersaint"),
    ("mme vasselin souhaite un congé", "NOM", "mme vasselin"),
    ("Vu par M. et Mme Vasselin hier", "NOM", "M. et Mme Vasselin"),
    ("Le Dr Inès Le Floc'h a signé", "NOM", "Dr Inès Le Floc'h"),
    ("Mme N'Guessan viendra", "NOM", "Mme N'Guessan"),
    ("VASSELIN Sophie sera jurée", "NOM", "VASSELIN Sophie"),
    ("J.-P. Moreau est en réunion", "NOM", "J.-P. Moreau"),
    ("Nom et prénom : Vasselin Aino", "NOM", "Vasselin Aino"),
    ("Agent : Kwabena Osei-Tutu, rédacteur", "NOM", "Kwabena Osei-Tutu"),
    ("mon fils lucas entre en CP", "NOM", "lucas"),
    ("Merci de prévenir.\n\nCordialement,\nAino Virtanen\nService paie", "NOM", "Aino Virtanen"),
    ("De : Aino Virtanen <aino@exemple.fr>", "NOM", "Aino Virtanen"),
    ("Bonjour Sophie, tout va bien ?", "NOM", "Sophie"),
    ("Mme\u00a0Vasselin a signé", "NOM", "Mme\u00a0Vasselin"),
    ("Je m'appelle He\u0301le\u0300ne Vasselin.", "NOM", "He\u0301le\u0300ne Vasselin"),
    # Numbers with a key
    ("Mon numéro : 2 55 08 14 168 025 38", "NIR", "2 55 08 14 168 025 38"),
    ("sécu 255081416802538 ok", "NIR", "255081416802538"),
    ("numéro de sécu sans clé 2550814168025", "NIR", "2550814168025"),
    ("Né en Corse : 1 85 05 2A 004 012 70 merci", "NIR", "1 85 05 2A 004 012 70"),
    ("mon NIR est le 2 55 08 14 168 025 39", "NIR", "2 55 08 14 168 025 39"),
    ("sur fr14 2004 1010 0505 0001 3m02 606 svp", "IBAN", "fr14 2004 1010 0505 0001 3m02 606"),
    ("IBAN BE68 5390 0754 7034 merci", "IBAN", "BE68 5390 0754 7034"),
    ("SIRET 732 829 320 00074", "SIRET", "732 829 320 00074"),
    ("La Poste, 356 000 000 00048, a répondu", "SIRET", "356 000 000 00048"),
    ("SIREN : 732829320", "SIREN", "732829320"),
    # Papers and plates
    ("NUMEN 14e1234567abc", "NUMEN", "14e1234567abc"),
    ("NUMEN 14E12345678AB", "NUMEN", "14E12345678AB"),
    ("Le passeport 12AB34567 expire", "PASSEPORT", "12AB34567"),
    ("Ma CNI est X4RTBPFW4", "CNI", "X4RTBPFW4"),
    ("véhicule immatriculé 123 ABC 2A", "PLAQUE", "123 ABC 2A"),
    ("la voiture AB 123 CD est garée", "PLAQUE", "AB 123 CD"),
    ("badge pour ZZ-999-ZZ", "PLAQUE", "ZZ-999-ZZ"),
    # Contacts
    ("tél.0639980012", "TEL", "0639980012"),
    ("joignable au 0639 980 012 le soir", "TEL", "0639 980 012"),
    ("appelez le +33 (0)6 39 98 00 12", "TEL", "+33 (0)6 39 98 00 12"),
    ("depuis Bruxelles : +32 2 555 12 12", "TEL", "+32 2 555 12 12"),
    ("écrire à K.Ziani+rh@exemple.fr.", "EMAIL", "K.Ziani+rh@exemple.fr"),
    (
        "karim point ziani arobase exemple point fr",
        "EMAIL",
        "karim point ziani arobase exemple point fr",
    ),
    # Addresses
    (
        "au 12 bis, rue du 8 mai 1945\n37000 Tours",
        "ADRESSE",
        "12 bis, rue du 8 mai 1945\n37000 Tours",
    ),
    ("au 3 rue des cordeliers, je dors", "ADRESSE", "3 rue des cordeliers"),
    ("J'habite rue des Cordeliers depuis peu", "ADRESSE", "rue des Cordeliers"),
    (
        "4 allée Ravel, appt 12, bât. B, 76600 Le Havre Cedex 3 et",
        "ADRESSE",
        "4 allée Ravel, appt 12, bât. B, 76600 Le Havre Cedex 3",
    ),
    # Births
    ("Née le 1er avril 1980 à Tours", "DATE_NAISSANCE", "1er avril 1980"),
    ("DATE DE NAISSANCE : 01/04/80", "DATE_NAISSANCE", "01/04/80"),
    ("né·e le 1980-04-01", "DATE_NAISSANCE", "1980-04-01"),
    ("Sophie Vasselin (01/04/1980) part", "DATE_NAISSANCE", "01/04/1980"),
]

LEFT_ALONE = [
    "Madame la Directrice, Monsieur le Maire, Mesdames, Messieurs,",
    "Madame, Monsieur, merci de votre réponse.",
    "MONSIEUR LE PRÉFET A SIGNÉ L'ARRÊTÉ",
    "Le lycée Victor Hugo et l'hôpital Simone Veil sont fermés.",
    "La loi Sauvadet et le rapport Jean Bassères sont en ligne.",
    "Rendez-vous rue de Rivoli, à Paris, le 12/03/2024.",
    "La CPAM de Saint-Étienne et France Travail recrutent en avril.",
    "Je suis Adjoint Administratif à la Mairie de Tours.",
    "J'ai suivi 3 cours de formation, place assise en 2024 cité en référence.",
    "L'article 12 de la loi n° 84-16 du 11 janvier 1984 et l'article L. 511-1",
    "Total : 06 12 34 56 78 €, soit 1 234 567,89 euros",
    "Référence du dossier 0612345678 et facture 73282932000074",
    "Né en 1960, je peux partir quand ?",
    "Recruté le 1er septembre 2010, titularisé le 01/09/2011.",
    "Le 3939 et le 0 800 123 456 sont gratuits.",
    "ISBN 978-2-07-036822-8, horodatage 1732270000000",
    "Ouvert de 8 h 30 à 22h00, parking de 45 places",
    "IBAN d'exemple : FR76 0000 0000 0000 0000 0000 000",
    "Monsieur X contre Mme Y",
    "Salle 2.04, lot 12, 14 jours, +12 345 678",
    "le numéro 2 55 08 14 168 025 39 est une suite de chiffres",
]


@pytest.mark.parametrize(("text", "label", "value"), FOUND, ids=lambda value: str(value)[:30])
def test_personal_data_is_found(text: str, label: str, value: str) -> None:
    found = [(entity.label, entity.text) for entity in mask(text).entities]
    assert (label, value) in found


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_looks_like_it_is_left_alone(text: str) -> None:
    assert mask(text).text == text


def test_a_name_that_comes_back_alone_is_masked_too() -> None:
    masked = mask("Mme Sophie Vasselin est absente. Le dossier Vasselin attend.")
    assert "Vasselin" not in masked.text


def test_lists_of_names_are_masked_to_the_last() -> None:
    masked = mask("Convoqués : Mme Zoé Moreau, Kwabena Osei, Aino VIRTANEN et Thi Lan Pham.")
    assert masked.text == "Convoqués : [NOM_1], [NOM_2], [NOM_3] et [NOM_4]."


def test_texts_of_forms_and_mails_are_masked_to_the_character() -> None:
    draw = random.Random(4)
    for _ in range(400):
        text, expected = made_up(draw)
        found = [(entity.start, entity.end, entity.label) for entity in mask(text).entities]
        assert found == expected, text
