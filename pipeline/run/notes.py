"""What people should know of data that a run took as they are."""

from collections.abc import Iterable, Mapping


def data_notes(counters: Mapping[str, int], read_as: Iterable[str] = ()) -> list[str]:
    """Returns a line on each thing that makes results mean something else than they seem to.

    Args:
        counters: Of the ExampleGen; those that it does not have count as 0.
        read_as: What it took for what.
    """
    # In any other unit a time may be another one than it was meant to be.
    units = {line.rpartition("; ")[2] for line in read_as} - {"times in seconds"}
    notes = [f"the data have {unit}" for unit in sorted(units) if "times" in unit]
    if repeats := counters.get("repeats"):
        notes.append(f"{repeats} of {counters['rows']} rows repeat a user and item of another row")
    if untitled := counters.get("untitled_items"):
        notes.append(f"{untitled} of {counters['items']} items are not in the movies file")
    ranked = counters.get("evaluated_users")
    if tied := counters.get("tied_users"):
        notes.append(f"{tied} of {ranked} held-out items share a time with others: ids decided")
    if timeless := counters.get("timeless_users"):
        users = counters["users"]
        notes.append(f"{timeless} of {users} users have one time for all items: a hash orders them")
    if fewer := counters.get("fewer_negatives"):
        most = f", {counters['most_negatives']} at most" if fewer == ranked else ""
        notes.append(f"{fewer} of {ranked} users have fewer than eval_negatives{most}")
    full = counters.get("full_ranked_users")
    if ranked and full and full < ranked:
        notes.append(f"full_users drew {full} of {ranked} users to rank among all items")
    return [f"note: {note}" for note in notes]
