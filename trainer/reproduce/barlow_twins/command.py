"""Measures the parts of the page and writes each as soon as it is there."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.pages.blocks import write_block
from trainer.reproduce.barlow_twins import page
from trainer.reproduce.barlow_twins.drawing import draw_boxes, draw_correlation
from trainer.reproduce.barlow_twins.figures import measure_fig3, measure_figs45
from trainer.reproduce.barlow_twins.plan import Plan
from trainer.reproduce.barlow_twins.table2 import measure_table2
from trainer.reproduce.barlow_twins.table3 import measure_table3

#: Figure → its panels (a) and (b).
PANELS = {"fig4": ("speaker", "gender"), "fig5": ("emotion", "keyword")}


def reproduce_barlow_twins(plan: Plan, parts: Sequence[str]) -> None:
    """Writes the page's blocks, and its pictures into the folder beside it that has its name.

    Args:
        parts: which of `PARTS`.

    Raises:
        DataError: a corpus cannot be read.
        ValueError: a run under `plan.runs` was begun with other settings.
    """
    write_block(plan.page, "reproduce barlow-twins, settings", page.settings_text(plan))
    for name in parts:
        write_block(plan.page, f"reproduce barlow-twins, {name}", PARTS[name](plan))
        plan.say(f"written: {name}")


def _table2(plan: Plan) -> str:
    return page.table2_text(plan, measure_table2(plan))


def _table3(plan: Plan) -> str:
    return page.table3_text(plan, measure_table3(plan))


def _fig3(plan: Plan) -> str:
    matrices = measure_fig3(plan)
    draw_correlation(matrices, plan.pictures / "fig3.png")
    return page.fig3_text(plan, matrices, f"{plan.pictures.name}/fig3.png")


def _figs45(plan: Plan) -> str:
    boxes = measure_figs45(plan)
    for name, tasks in PANELS.items():
        draw_boxes(boxes, tasks, plan.pictures / f"{name}.png")
    return page.figs45_text(plan, boxes, [f"{plan.pictures.name}/{name}.png" for name in PANELS])


PARTS = {"table2": _table2, "table3": _table3, "fig3": _fig3, "figs45": _figs45}
