"""Steps that make columns of several ones together."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dlcli.part import Number, Step, Written
from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import MISSING_TEXT, TEXTS, Keeping, problem, values
from dlcli.preprocessing.vocabularies import in_order, lookup, spoken
from dlcli.problems import ConfigError, DataError, Problem
from dlcli.samples import Block, Frame

if TYPE_CHECKING:
    pass

_MOST_PRODUCTS = 10_000
_MOST_COMBINATIONS = 2**62
_EIGEN_FEATURES = 1_000
_EIGEN_ROWS_PER_FEATURE = 10
"""From so many rows on the eigenvectors of the covariance are exact enough, and much cheaper."""


class Pca(Keeping):
    """Principal components of the named columns together: pca_1 varies most in the training rows, and so on.

    Columns of different units should be standardized before. Gaps must be filled before: a row with one has
    no components.
    """

    part_name = "pca"
    example = "pca: {columns: numeric, components: 5}"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric", "encoded")
    result_kind = "numeric"

    components: Annotated[
        int | Annotated[Number, Field(gt=0, lt=1)],
        Field(description="How many components; or the share of the variance that they must hold, below 1."),
    ]

    def objections(self, kinds: Mapping[str, str]) -> tuple[Problem, ...]:
        """There must be a component."""
        del kinds
        if self.components >= 1 or isinstance(self.components, float):
            return ()
        return (problem("value-out-of-range", "pca needs at least 1 component", "write 1 or more", self, "components"),)

    def results(self, names: tuple[str, ...], taken: tuple[str, ...]) -> dict[str, tuple[str, ...]] | None:
        """pca_1, pca_2, ...; how many is not known for a share of the variance."""
        if isinstance(self.components, float) or not names:
            return None
        return dict.fromkeys(names[:1], self._names(self.components, taken))

    def _names(self, count: int, taken: tuple[str, ...]) -> tuple[str, ...]:
        return frames.free_names((f"pca_{number}" for number in range(1, count + 1)), taken)

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{"mean": (features), "components": (features, components)}."""
        import numpy as np
        from sklearn.decomposition import PCA

        matrix = np.concatenate([values(block) for block in frames.picked(frame, names)], axis=1).astype(np.float64)
        rows, features = matrix.shape
        if not np.isfinite(matrix).all():
            message = "pca cannot take gaps, and the training rows have some"
            raise DataError(problem("gap-left", message, "put `impute` before it", self))
        if self.components >= 1 and self.components > min(rows, features):
            message = f"pca of {features} features in {rows:,} rows cannot have {self.components} components"
            raise ConfigError(problem("value-out-of-range", message, "write fewer", self, "components"))
        cheap = features <= _EIGEN_FEATURES and rows >= _EIGEN_ROWS_PER_FEATURE * features
        fitted = PCA(self.components, svd_solver="covariance_eigh" if cheap else "full").fit(matrix)
        return {"mean": fitted.mean_.tolist(), "components": fitted.components_.T.tolist()}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """(x - mean) @ components, in float64."""
        import numpy as np
        from keras import ops

        cells = side_by_side(frame, names)
        directions = np.array(state["components"])
        result = ops.matmul(ops.subtract(cells, np.array(state["mean"])), directions)
        made = Block(self._names(directions.shape[1], frame.names), "numeric", result)
        return frames.merged(frame, names, made, keep=self.keep)


class Polynomial(Step):
    """Products of the named columns beside them, up to a degree: a*b, a^2, b^2.

    Powers of large numbers are larger still: standardize before, and behind again.
    """

    part_name = "polynomial"
    example = "polynomial: {columns: [Age, Fare], degree: 2}"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric", "encoded")
    result_kind = "numeric"
    finishes = False

    degree: Annotated[int, Field(ge=2, le=10, description="How many factors a product has at most.")] = 2
    interaction_only: Annotated[bool, Field(description="Only products of different columns: no powers.")] = False

    @property
    def keeps(self) -> bool:
        """Products stand beside their factors."""
        return True

    def objections(self, kinds: Mapping[str, str]) -> tuple[Problem, ...]:
        """Products must not outnumber everything."""
        from math import comb

        columns = len(kinds)
        if self.interaction_only:
            count = sum(comb(columns, degree) for degree in range(2, self.degree + 1))
        else:
            count = comb(columns + self.degree, self.degree) - columns - 1
        if 0 < count <= _MOST_PRODUCTS or not columns:
            return ()
        message = f"polynomial would make {count:,} products of {columns} columns"
        hint = "name fewer columns, or lower the degree" if count else "name at least two columns"
        return (problem("value-out-of-range", message, hint, self),)

    def _products(self, count: int) -> list[tuple[int, ...]]:
        """The factors of each product, as positions among the columns."""
        choose = combinations if self.interaction_only else combinations_with_replacement
        return [chosen for degree in range(2, self.degree + 1) for chosen in choose(range(count), degree)]

    def results(self, names: tuple[str, ...], taken: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """a: a^2, a*b, ...: all stand under the first column."""
        made: list[str] = []
        for factors in self._products(len(names)):
            powers = {names[each]: factors.count(each) for each in dict.fromkeys(factors)}
            product = "*".join(name if power == 1 else f"{name}^{power}" for name, power in powers.items())
            made.append(product)
        return dict.fromkeys(names[:1], frames.free_names(made, taken))

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """Nothing, but columns must hold single numbers."""
        for block in frames.picked(frame, names):
            if int(block.tensor.shape[-1]) != len(block.names):
                message = f"polynomial takes columns of single numbers, but a row of {block.names[0]} holds several"
                raise ConfigError(problem("wrong-column-kind", message, "name other columns", self))
        return {}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:  # noqa: ARG002 - nothing was learned
        """The columns, and their products behind them."""
        from keras import ops

        cells = side_by_side(frame, names)
        products = self._products(len(names))
        columns: dict[tuple[int, ...], Any] = {
            (position,): cells[:, position : position + 1] for position in range(len(names))
        }
        for factors in products:  # each has the product of all factors but its last one before it
            columns[factors] = ops.multiply(columns[factors[:-1]], columns[factors[-1:]])
        result = ops.concatenate([columns[factors] for factors in products], axis=-1)
        made = Block(self.results(names, frame.names)[names[0]], "numeric", result)
        return frames.merged(frame, names, made, keep=True)


class Cross(Keeping):
    """The combination of several categories as one category: Sex_x_Embarked holds "male & S".

    Put `one_hot`, `embed` or `hash` behind: a category is no number yet. A combination that no training row
    has counts as never seen; where one of the categories is missing, the combination is.
    """

    part_name = "cross"
    example = "cross: {columns: [Sex, Embarked], keep: true}"
    accepted_kinds = TEXTS
    result_kind = "categorical"
    finishes = False

    columns: tuple[Written, ...] = Field(description="Columns by name, glob or kind: at least two.")

    def objections(self, kinds: Mapping[str, str]) -> tuple[Problem, ...]:
        """One column has no combinations."""
        if len(kinds) != 1:
            return ()
        message = f"cross takes at least two columns, got {next(iter(kinds))}"
        return (problem("too-few-columns", message, "name another one", self, "columns"),)

    def results(self, names: tuple[str, ...], taken: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Sex_x_Embarked."""
        return dict.fromkeys(names[:1], (frames.free_name("_x_".join(names), taken),))

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{"categories": texts by column, "combinations": the numbers of those that training rows have}."""
        import numpy as np

        cells = [[text.decode() for text in values(block).ravel().tolist()] for block in _ordered(frame, names)]
        categories = [in_order({text for text in column if text != MISSING_TEXT}) for column in cells]
        if np.prod([float(len(texts) + 1) for texts in categories]) > _MOST_COMBINATIONS:
            message = f"{' and '.join(names)} have too many categories to be crossed"
            raise ConfigError(problem("too-many-categories", message, "cross fewer columns", self))
        places = [{text: number for number, text in enumerate(texts, start=1)} for texts in categories]
        rows = zip(*([place.get(text, 0) for text in column] for place, column in zip(places, cells, strict=True)))  # noqa: B905 - of one frame
        found = sorted({row for row in rows if all(row)})
        if not found:
            message = f"no training row has a value in each of {', '.join(names)}"
            raise DataError(problem("no-category", message, "cross other columns", self))
        return {"categories": categories, "combinations": [list(row) for row in found]}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Texts; "" where a category is missing."""
        import keras
        from keras import ops

        categories, found = state["categories"], state["combinations"]
        blocks = _ordered(frame, names)
        whole: Any = 0
        missing: Any = None
        for block, texts in zip(blocks, categories, strict=True):
            whole = whole * (len(texts) + 1) + lookup(texts, "int")(block.tensor)
            gap = ops.equal(block.tensor, MISSING_TEXT)
            missing = gap if missing is None else ops.logical_or(missing, gap)
        numbers = [_mixed(row, categories) for row in found]
        place = keras.layers.IntegerLookup(vocabulary=numbers, mask_token=None, oov_token=-1)(whole)
        words = self._words(categories, found)
        result = spoken([*words, MISSING_TEXT], ops.where(missing, len(words) + 1, place))
        made = Block(self.results(names, frame.names)[names[0]], "categorical", result)
        return frames.merged(frame, names, made, keep=self.keep)

    @staticmethod
    def _words(categories: list[list[str]], found: list[list[int]]) -> list[str]:
        words: dict[str, None] = {}
        for row in found:
            word = " & ".join(texts[place - 1] for texts, place in zip(categories, row, strict=True))
            words[frames.free_name(word, words)] = None
        return list(words)


def _mixed(places: list[int], categories: list[list[str]]) -> int:
    """One number for a place in each vocabulary."""
    whole = 0
    for place, texts in zip(places, categories, strict=True):
        whole = whole * (len(texts) + 1) + place
    return whole


def _ordered(frame: Frame, names: tuple[str, ...]) -> list[Block]:
    return [block for name in names for block in frames.picked(frame, (name,))]


def side_by_side(frame: Frame, names: tuple[str, ...]) -> Any:
    """The named columns in float64, in order: (rows, features)."""
    from keras import ops

    picked = frames.picked(frame, names)
    if [name for block in picked for name in block.names] != list(names):
        picked = tuple(_ordered(frame, names))
    cells = [frames.as_float(block) for block in picked]
    return cells[0] if len(cells) == 1 else ops.concatenate(cells, axis=-1)
