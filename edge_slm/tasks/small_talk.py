"""Replies that need no model: greetings, thanks, and what the assistant can do."""

from edge_slm.i18n import say

_REPLIES = {
    "greeting": ("Hello! What would you like to know?", "Bonjour ! Que souhaitez-vous savoir ?"),
    "mood": (
        "I am a program, so always ready. What would you like to know?",
        "Je suis un programme, donc toujours prêt. Que souhaitez-vous savoir ?",
    ),
    "thanks": ("You are welcome.", "Je vous en prie."),
    "farewell": ("Goodbye!", "Au revoir !"),
}


def reply(kind: str, language: str) -> str:
    """Return the reply to a kind of small talk (routing/rules.py) in a language."""
    if kind in _REPLIES:
        return say(language, *_REPLIES[kind])
    return abilities(language)


def abilities(language: str) -> str:
    """Return what the assistant can do, in a language."""
    return say(
        language,
        "I run wholly on this machine. I answer questions from the documents that I was given and "
        "name the page, or say that they do not hold the answer; I translate "
        "(“translate into French: …”) and write down recordings (“transcribe meeting.wav”).",
        "Je tourne entièrement sur cette machine. Je réponds aux questions d'après les documents "
        "qu'on m'a confiés en citant la page, ou je dis qu'ils ne contiennent pas la réponse ; je "
        "traduis (« traduis en anglais : … ») et je transcris des enregistrements "
        "(« transcris reunion.wav »).",
    )


def scope(language: str) -> str:
    """Return what is said to a request that is about something else altogether."""
    return say(
        language,
        "It is far from what they are about. I can also translate (“translate into French: …”) "
        "and write down recordings (“transcribe meeting.wav”).",
        "C'est loin de leurs sujets. Je sais aussi traduire (« traduis en anglais : … ») et "
        "transcrire des enregistrements (« transcris reunion.wav »).",
    )


def not_obeyed(language: str) -> str:
    """Return what is said to a request that is an order to the assistant itself."""
    return say(
        language,
        "This reads like an order about how I work rather than a question, so I leave it; please "
        "ask me what you would like to know.",
        "Cela ressemble à un ordre sur ma façon de travailler plutôt qu'à une question, et je n'y "
        "donne pas suite ; dites-moi ce que vous souhaitez savoir.",
    )


def no_base(language: str) -> str:
    """Return what is said to a question when there is no base to answer from."""
    return say(
        language,
        "I have no documents to answer from yet: make a base with edge-slm kb create, or try the "
        "sample one with edge-slm demo. ",
        "Je n'ai pas encore de documents pour répondre : créez une base avec edge-slm kb create, "
        "ou essayez la base d'exemple avec edge-slm demo. ",
    ) + abilities(language)
