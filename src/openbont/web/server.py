"""Serving the workbench: the demonstration's records, and the door it listens at."""

import datetime
from decimal import Decimal
from pathlib import Path

from openbont.clinic.nouns import Person, Vial
from openbont.clinic.records import Records
from openbont.io import load_patient, load_plan

DEMO = {
    "arm_after_stroke": ("Anton Berger", "1968-03-04"),
    "chronic_migraine": ("Clara Nowak", "1985-06-19"),
    "cervical_dystonia": ("Ingrid Solberg", "1974-01-30"),
    "overactive_bladder": ("Rosa Almeida", "1968-09-12"),
    "child_arm": ("Jonas Weber", "2020-05-08"),
    "als_refused": ("Maria Keller", "1963-02-21"),
}
"""Folder of examples -> an invented name and day of birth."""
SHELF = (
    ("A100-1", "onabotulinumtoxinA", "100"),
    ("A100-2", "onabotulinumtoxinA", "100"),
    ("A100-3", "onabotulinumtoxinA", "100"),
    ("A200-1", "onabotulinumtoxinA", "200"),
    ("B500-1", "abobotulinumtoxinA", "500"),
    ("C100-1", "incobotulinumtoxinA", "100"),
)


def examples() -> Path:
    """The folder of examples: beside the package in a wheel, above it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "examples"
    return inside if inside.is_dir() else package.parents[1] / "examples"


def demo_records(records: Records) -> None:
    """Six invented patients, each with a plan in work, and vials on the shelf."""
    for folder, (name, born) in DEMO.items():
        patient = load_patient(examples() / folder / "patient.yaml")
        person = Person(
            id=patient.id, name=name, born=datetime.date.fromisoformat(born), sex=patient.sex
        )
        records.add(person, patient.id)
        records.add(patient, patient.id)
        records.add(load_plan(examples() / folder / "plan.yaml"), patient.id)
    expiry = records.now().date() + datetime.timedelta(days=500)
    for key, product, units in SHELF:
        vial = Vial(id=key, product=product, lot=f"LOT-{key}", expiry=expiry, units=Decimal(units))
        records.add(vial, "")
