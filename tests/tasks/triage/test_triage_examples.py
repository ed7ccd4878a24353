"""The sample mails: enough of them, readable, and what they are said to be."""

from pathlib import Path

import pytest

from edge_slm.evaluation.rows import read_rows
from edge_slm.evaluation.triage import Row
from edge_slm.tasks.triage.labels import read_labels
from edge_slm.tasks.triage.mail import Mail, mail_of, read_mail
from edge_slm.tasks.triage.missing import missing

FOLDER = Path(__file__).parents[3] / "examples" / "triage"
FILES = ("dev.jsonl", "held-out.jsonl", "mairie/mails.jsonl")


def rows(name: str) -> list[Row]:
    return read_rows(FOLDER / name, Row)


def mail_in(row: Row) -> Mail:
    if row.mail:
        return read_mail(FOLDER / row.mail)
    return mail_of((row.text or "").encode(), row.id)


def test_there_are_enough_and_no_mail_is_in_two_files() -> None:
    counts = [len(rows(name)) for name in FILES]
    assert counts == [30, 40, 30]
    texts = {mail_in(row).words for name in FILES for row in rows(name)}
    assert len(texts) == sum(counts)


@pytest.mark.parametrize("name", FILES)
def test_rows_name_configured_labels_services_and_items(name: str) -> None:
    known = {
        label.name: label for label in read_labels((FOLDER / name).with_name("labels.json")).labels
    }
    for row in rows(name):
        assert set(row.labels) <= known.keys(), row.id
        services = [known[label].service for label in row.labels]
        assert (row.service or "") == (services[0] if services else ""), row.id
        items = {item.name for label in row.labels for item in known[label].items}
        assert set(row.missing or ()) <= items, row.id


@pytest.mark.parametrize("name", FILES[:2])
def test_what_rows_call_missing_is_what_the_rules_find(name: str) -> None:
    known = {label.name: label for label in read_labels(FOLDER / "labels.json").labels}
    for row in rows(name):
        found = missing(mail_in(row), [known[label] for label in row.labels])
        assert found == row.missing, row.id


def test_every_sample_mail_is_used_and_reads_without_a_problem() -> None:
    used = {row.mail for name in FILES[:2] for row in rows(name)}
    assert used == {f"mails/{path.name}" for path in (FOLDER / "mails").iterdir()}
    for name in used:
        assert name
        assert read_mail(FOLDER / name).problems == ()
