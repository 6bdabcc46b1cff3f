"""The curves of the plan editor as a page of Streamlit, for the benchmark `web`.

`streamlit run benchmarks/web_peer.py`, then ?patient=arm_after_stroke behind the address. The same
numbers through the same verbs as the workbench; the page draws the curves alone, without the
findings, totals, vials and body that the workbench brings up to date with them.
"""

import altair as alt
import pandas as pd
import streamlit as st

from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.web.edited import predicted
from openbont.web.live import Live
from openbont.web.server import examples


@st.cache_resource
def ready(name: str) -> tuple[Live, Plan, Patient]:
    """A patient's model with its fields solved, as the workbench keeps it too."""
    folder = examples() / name
    patient, plan = load_patient(folder / "patient.yaml"), load_plan(folder / "plan.yaml")
    live = Live(patient)
    live.seen(plan)
    live.wait()
    return live, plan, patient


def with_dose(plan: Plan, dose_u: float) -> Plan:
    """The plan with another dose of its first injection."""
    session = plan.sessions[0]
    first, *others = session.injections
    changed = first.model_copy(update={"dose_u": dose_u, "volume_ml": None})
    there = session.model_copy(update={"injections": (changed, *others)})
    return plan.model_copy(update={"sessions": (there,)})


def drawn(curve: dict, weeks: list[float], dose_u: float) -> alt.LayerChart:
    """Band, median and course without toxin; only its data change, so that it is not made anew."""
    names = ("low", "middle", "high", "without")
    data = pd.DataFrame({"week": weeks, **{name: curve[name] for name in names}})
    data["of"] = [f"{dose_u:g} U", *[""] * (len(weeks) - 1)]
    base = alt.Chart(data).encode(x="week:Q")
    layers = (
        base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title=curve["unit"]), y2="high:Q"),
        base.mark_line().encode(y="middle:Q"),
        base.mark_line(strokeDash=[3, 4], color="gray").encode(y="without:Q"),
        base.mark_text(align="left", dx=4).encode(y="high:Q", text="of:N"),
    )
    svg = {"embedOptions": {"renderer": "svg"}}  # elements of the page can be watched
    return alt.layer(*layers).properties(height=150, title=curve["words"], usermeta=svg)


live, plan, patient = ready(st.query_params["patient"])
start = plan.sessions[0].injections[0].dose_u
dose_u = st.number_input("Dose, U", min_value=0.0, max_value=500.0, value=start, step=5.0)
seen = live.seen(with_dose(plan, dose_u), settled=False)
said = predicted(seen, patient)
for curve in said["curves"]:
    st.altair_chart(drawn(curve, said["weeks"], dose_u), width="stretch")
