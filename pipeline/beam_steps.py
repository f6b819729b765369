"""Which components do their work in Beam, and how those run within their own process."""

from transforms.base.in_process_beam import LOCAL_ARGS

_BEAM_STEPS = ("StatisticsGen", "Transform", "Evaluator", "BulkRecommender")


def is_beam_step(component: str) -> bool:
    """Returns whether a component, by its id, does its work in a Beam pipeline."""
    return component in _BEAM_STEPS or component.endswith("ExampleGen")


def in_process_args(component: str) -> tuple[str, ...]:
    """Returns Beam's arguments for a component that runs in one process; () if it uses no Beam."""
    return LOCAL_ARGS if is_beam_step(component) else ()
