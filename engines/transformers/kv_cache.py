"""Keys and values of rows that come and go: what continuous batching needs of a model's cache.

`SlotCache` is for plain full attention. Every row ends at the same column, so new rows are written
right-aligned beside running ones, finished rows are filled up from the end of the batch, and columns that
hold nothing but padding are left behind. Its buffers are allocated ahead: a step writes one column and copies
nothing.

`WholeBatchCache` is for every other kind (sliding windows, recurrent layers): the model's own cache, which
takes new rows only when the last one has left.

Sizes: a layer's buffer is [rows, heads, columns, head width].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache, DynamicLayer

SPARE_COLUMNS = 64  # least room for new tokens when a buffer is laid out anew; half its width if that is more


class RowCache(Protocol):
    """What the decoder needs. Row i of the batch is row i of the cache."""

    @property
    def past(self) -> Any:
        """The transformers cache to hand to the model."""
        ...

    @property
    def columns(self) -> int:
        """How many columns the model sees: the longest row, and padding in front of the others."""
        ...

    @property
    def takes_rows(self) -> bool:
        """Whether rows may be added now."""
        ...

    def add(self, prefilled: Any, sources: Tensor) -> None:
        """Add a row for each entry of `sources`: a copy of that row of a left-padded `prefilled` cache."""
        ...

    def advance(self) -> None:
        """Count the column that the model has just written."""
        ...

    def keep(self, order: Sequence[int], longest: int) -> None:
        """New row i is old row `order[i]`; none of them is longer than `longest`."""
        ...


def is_plain(config: Any) -> bool:
    """Whether all of a model's layers keep plain full-attention keys and values."""
    layers = DynamicCache(config=config).layers
    plain = all(type(layer) is DynamicLayer for layer in layers)
    # Fewer caches than layers: some layers share what others keep.
    return plain and len(layers) == config.num_hidden_layers


@dataclass(slots=True)
class _Window:
    """The part of the buffers in use: rows 0..rows-1, columns begin..end-1."""

    rows: int = 0
    begin: int = 0
    end: int = 0


class _SlotLayer(CacheLayerMixin):  # type: ignore[misc]  # transformers publishes no types to us
    """One layer's buffers, seen by the model through the window."""

    is_sliding = False
    is_croppable = False

    def __init__(self, window: _Window) -> None:
        super().__init__()
        self.keys: Any = None
        self.values: Any = None
        self._window = window

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Nothing to do: the buffers are laid out when rows are added."""

    def update(self, keys: Tensor, values: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Write new columns behind the window; return all that each row holds."""
        window = self._window
        end = window.end + keys.shape[2]
        self.keys[: window.rows, :, window.end : end] = keys
        self.values[: window.rows, :, window.end : end] = values
        shown = (slice(0, window.rows), slice(None), slice(window.begin, end))
        return self.keys[shown], self.values[shown]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """(Columns with the new ones, 0)."""
        return self.get_seq_length() + query_length, 0

    def get_seq_length(self) -> int:
        """Columns in the window."""
        return self._window.end - self._window.begin

    def get_max_length(self) -> int:
        """No limit."""
        return -1

    def lay_out(self, like: Tensor, rows: int, columns: int, end: int) -> None:
        """Move to new buffers of rows x columns, with what is in the window ending at column `end`."""
        # Zeros, not empty memory: a mask turns a garbage column into 0 times garbage, and that may be NaN.
        self.keys = self._moved(self.keys, like, rows, columns, end)
        self.values = self._moved(self.values, like, rows, columns, end)
        self.is_initialized = True

    def _moved(self, old: Tensor | None, like: Tensor, rows: int, columns: int, end: int) -> Tensor:
        window = self._window
        new = like.new_zeros((rows, like.shape[1], columns, like.shape[3]))
        if old is not None and window.rows:
            live = slice(window.begin, window.end)
            width = window.end - window.begin
            new[: window.rows, :, end - width : end] = old[: window.rows, :, live]
        return new


class SlotCache:
    """Rows in slots, for plain full attention."""

    def __init__(self, layers: int) -> None:
        self._window = _Window()
        self._layers = [_SlotLayer(self._window) for _ in range(layers)]
        self.past = Cache(layers=self._layers)

    @property
    def columns(self) -> int:
        """Columns in the window."""
        return self._window.end - self._window.begin

    @property
    def takes_rows(self) -> bool:
        """Always."""
        return True

    def add(self, prefilled: Any, sources: Tensor) -> None:
        """Write copies of prefilled rows into the next slots, ending where the others end."""
        window = self._window
        like = prefilled.layers[0].keys
        width, rows = like.shape[2], window.rows + len(sources)
        self._make_room(like, rows, width)
        # A shorter row keeps whatever its slot held on the left; it is masked, and finite.
        target = (slice(window.rows, rows), slice(None), slice(window.end - width, window.end))
        for layer, filled in zip(self._layers, prefilled.layers, strict=True):
            layer.keys[target] = filled.keys[sources]
            layer.values[target] = filled.values[sources]
        window.begin = min(window.begin, window.end - width) if window.rows else window.end - width
        window.rows = rows

    def advance(self) -> None:
        """The window grows by a column; room for the next is made here, between two steps."""
        self._window.end += 1
        self._make_room(self._layers[0].keys, self._window.rows, self.columns)

    def keep(self, order: Sequence[int], longest: int) -> None:
        """Fill holes from the end: an old row moves only if its place changes."""
        moves = [(new, old) for new, old in enumerate(order) if new != old]
        window = self._window
        if moves:
            to, source = (list(places) for places in zip(*moves, strict=True))
            live = slice(window.begin, window.end)
            for layer in self._layers:
                layer.keys[to, :, live] = layer.keys[source, :, live]
                layer.values[to, :, live] = layer.values[source, :, live]
        window.rows = len(order)
        window.begin = window.end - longest if order else window.end

    def _make_room(self, like: Tensor, rows: int, width: int) -> None:
        """Lay out anew unless the buffers hold `rows`, `width` columns up to the end, and one behind it."""
        window = self._window
        held = self._layers[0].keys
        if held is not None and rows <= len(held) and width <= window.end < held.shape[2]:
            return
        widest = max(width, self.columns)
        spare = max(SPARE_COLUMNS, widest // 2)
        # Doubling the rows keeps the number of moves small while a run warms up.
        slots = rows if held is None else max(rows, len(held) if rows <= len(held) else 2 * len(held))
        for layer in self._layers:
            layer.lay_out(like, slots, widest + spare, widest)
        window.begin, window.end = widest - self.columns, widest


class WholeBatchCache:
    """The model's own cache; rows leave it, but join only an empty one."""

    def __init__(self) -> None:
        self.past: Any = None
        self.columns = 0

    @property
    def takes_rows(self) -> bool:
        """Only while empty."""
        return self.past is None

    def add(self, prefilled: Any, sources: Tensor) -> None:
        """Take the prefilled cache over."""
        self.columns = prefilled.get_seq_length()
        prefilled.reorder_cache(sources)
        self.past = prefilled

    def advance(self) -> None:
        """The model's cache has grown by itself."""
        self.columns += 1

    def keep(self, order: Sequence[int], longest: int) -> None:  # noqa: ARG002 - its columns cannot be cropped
        """Select rows."""
        if not order:
            self.past, self.columns = None, 0
        else:
            self.past.reorder_cache(torch.tensor(order))
