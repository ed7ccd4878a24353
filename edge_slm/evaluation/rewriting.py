"""Follow-up questions rewritten by a chat model: what the rules are compared with."""

from collections.abc import Sequence

from edge_slm.conversation.follow_up import Turn
from edge_slm.conversation.turns import is_question, language_of
from edge_slm.engines import ChatEngine, Message, Options, Piece
from edge_slm.evaluation.follow_ups import Rewrite
from edge_slm.i18n import say

LONGEST = 60  # tokens

# One line of text that ends as a question does.
_LINE = r'root ::= [^\n?]+ " "? "?"'

# Made up for the purpose; the questions measured are others.
_SHOWN = {
    "fr": (
        ("Combien coûte la cantine pour un adulte ?", "et pour un enfant ?"),
        "Combien coûte la cantine pour un enfant ?",
        ("Combien coûte la cantine pour un adulte ?", "Où se trouve la gare ?"),
        "Où se trouve la gare ?",
        ("Qui répare les vélos ?", "c'est gratuit ?"),
        "La réparation des vélos est-elle gratuite ?",
    ),
    "en": (
        ("How much is lunch for an adult?", "and for a child?"),
        "How much is lunch for a child?",
        ("How much is lunch for an adult?", "Where is the station?"),
        "Where is the station?",
        ("Who repairs bikes?", "is it free?"),
        "Is the repair of bikes free?",
    ),
}


def by_model(engine: ChatEngine) -> Rewrite:
    """Return a rewriting by a chat model: greedy, one line, shown three examples."""

    def rewrite(question: str, turns: Sequence[Turn]) -> str:
        if not turns or not is_question(question):
            return question
        messages = _prompt(question, turns)
        said = engine.stream(messages, LONGEST, Options(grammar=_LINE))
        return "".join(event.text for event in said if isinstance(event, Piece)).strip()

    return rewrite


def _prompt(question: str, turns: Sequence[Turn]) -> list[Message]:
    language = language_of(question, turns)
    system = say(
        language,
        "Rewrite the last question so that it can be understood alone, with the words of the "
        "earlier question where they are needed. If it can be understood alone, repeat it.",
        "Réécris la dernière question pour qu'elle se comprenne seule, avec les mots de la "
        "question précédente s'il le faut. Si elle se comprend seule, répète-la.",
    )
    shown = [Message("system", system)]
    pairs = [*_SHOWN[language], (turns[-1].asked, question)]
    for item in pairs:
        if isinstance(item, str):
            shown.append(Message("assistant", item))
        else:
            shown.append(Message("user", _pair(language, *item)))
    return shown


def _pair(language: str, before: str, last: str) -> str:
    return say(
        language,
        "Earlier question: {before}\nLast question: {last}",
        "Question précédente : {before}\nDernière question : {last}",
        before=before,
        last=last,
    )
