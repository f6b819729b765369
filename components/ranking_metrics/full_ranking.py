"""What a model tells of a user among all items: the names that it and the metrics share."""

SIGNATURE = "rank_all"
"""The signature that takes serialised Examples and returns these."""

RANK = "full_rank"
"""The held-out item's rank among all items that are not in the history, float32 [batch, 1]; 0 for
an Example without a history, whose item is not ranked."""
TOP = "full_top"
"""Rows of the best items that are not in the history, best first, int64 [batch, LONGEST], and -1
where no more are left, or the item is not ranked."""
HISTORY = "full_history"
"""Rows of the history's items, int64 [batch, longest], and -1 where one is shorter."""
ITEMS = "full_items"
"""How many items there are, int64 [batch, 1]."""

LONGEST = 100
"""How many of the best items are told."""
