"""What every record must keep to, whoever writes it."""

import re

from openbont.clinic.held import Held, kind_of
from openbont.clinic.nouns import Person, Vial
from openbont.errors import BadInput
from openbont.frozen import Noun
from openbont.patient import Patient
from openbont.plan import Plan

KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def a_key(key: str) -> str:
    """A name that may stand in files, addresses and on paper."""
    if not KEY.fullmatch(key):
        raise BadInput("key", f"not a key (value {key!r})", "letters, digits, . _ - up to 64")
    return key


def a_person(by: str) -> str:
    """In whose name something is written."""
    if not by.strip() or len(by) > 200 or CONTROL.search(by):
        raise BadInput("--by", "nobody is named", "say who writes: --by, or OPENBONT_USER")
    return by


def a_reason(reason: str) -> str:
    """Why something is corrected or withdrawn."""
    if not reason.strip() or len(reason) > 4_000 or "\x00" in reason:
        raise BadInput("reason", "no reason is given", "say in a few words what was wrong")
    return reason


def fits(held: Held) -> None:
    """The noun belongs to this patient, and to this key."""
    noun = held.noun
    if isinstance(noun, Vial):
        _a_fresh_vial(held, noun)
        return
    if not held.patient:
        raise BadInput(held.key, "no patient is named", "every record but a vial is a patient's")
    a_key(held.patient)
    whose = {Person: "id", Patient: "id", Plan: "patient"}.get(type(noun))
    if whose and getattr(noun, whose) != held.patient:
        problem = f"is {getattr(noun, whose)!r}'s, not {held.patient!r}'s"
        raise BadInput(held.key, problem, "name the right patient")


def _a_fresh_vial(held: Held, vial: Vial) -> None:
    if held.patient or held.key != vial.id:
        way_out = "name no patient, and no key but its id"
        raise BadInput(held.key, "a vial belongs to the clinic, and is known by its id", way_out)
    if vial.taken or vial.wasted:
        raise BadInput(held.key, "units are already taken out", "use give and waste")


def same_kind(held: Held, noun: Noun) -> Held:
    """A record stays of its kind."""
    if kind_of(noun) != held.kind:
        raise BadInput(held.key, f"a {held.kind}, not a {kind_of(noun)}", "name the right record")
    return held


def may_be_corrected(held: Held) -> Held:
    """Drafts are changed, and errors stay errors."""
    if held.state == "draft":
        raise BadInput(held.key, "still a draft", "change it, or sign it first")
    if not held.live:
        raise BadInput(held.key, "already entered in error", "correct what replaced it")
    return held
