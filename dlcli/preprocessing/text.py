"""Free text as tokens: `tokens`, learned in Python, applied by Keras's own layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import Keeping
from dlcli.problems import DataError, Problem
from dlcli.samples import Block, Frame

Standardization = Literal["lower_and_strip_punctuation", "lower", "strip_punctuation", "none"]
_PUNCTUATION = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""What Keras's TextVectorization strips."""
_RESERVED = frozenset({"", "[UNK]"})
"""Tokens that mean something else in Keras's vocabularies: nothing, and any unknown word."""
_NO_WORDS = {"ids": 2, "multi_hot": 1, "count": 1, "tf_idf": 0}
"""How many of `max_tokens` are no words: the filler of ids, and the unknown word."""
_COMPACT_WHOLE_NUMBERS = 2**15


class Tokens(Keeping):
    """Free text as numbers: words (or characters, or runs of them) of the training rows are counted.

    The vocabulary holds the most frequent tokens of the training rows; of equally frequent ones the first in
    order. Every other token counts as unknown. A text that is empty, missing or nothing but blanks has no
    token: its row is 0 throughout. `ids`: (rows, length), 0 after the end of a text, 1 for an unknown token,
    then the vocabulary; longer texts are cut at the end. The others: a column for each token, review_great;
    multi_hot and count have one more in front for the unknown ones together, review_unknown.

    tf_idf is count times log(1 + n / (1 + d)) as in Keras, where d of the n training rows hold the token; unknown
    ones, whose sum would drown the others in long texts, have no column. Lower case means A to Z only, and
    punctuation that of ASCII.
    """

    part_name = "tokens"
    example = "tokens: {columns: review, output: multi_hot, max_tokens: 10000}"
    default_kinds = ("text",)
    accepted_kinds = ("text", "categorical")
    result_kind = "encoded"

    output: Annotated[
        Literal["ids", "multi_hot", "count", "tf_idf"],
        Field(
            description="ids: a number for each token, in order; multi_hot: whether a token occurs; count: how often; "
            "tf_idf: how often, and more for tokens in few texts."
        ),
    ] = "tf_idf"
    length: Annotated[
        int | None,
        Field(ge=1, description="Tokens of a row of ids; by default those of the longest training text."),
    ] = None
    max_tokens: Annotated[
        int, Field(ge=3, description="Different numbers at most, the unknown token (and the filler of ids) among them.")
    ] = 10_000
    ngrams: Annotated[
        int, Field(ge=1, le=10, description="Runs of up to so many tokens count as tokens too: 2 for pairs.")
    ] = 1
    level: Annotated[Literal["word", "character"], Field(description="What a text is cut into; words at blanks.")] = (
        "word"
    )
    standardize: Annotated[Standardization, Field(description="What is done to a text before it is cut.")] = (
        "lower_and_strip_punctuation"
    )

    @model_validator(mode="after")
    def _length_of_ids(self) -> Self:
        if self.length is not None and self.output != "ids":
            message = "length is for `output: ids` only"
            raise ValueError(message)
        return self

    def compact(self, cardinality: int | None) -> str | None:
        """Occurrences are 0 and 1; few ids fit into 16 bits."""
        if self.output == "multi_hot":
            return "uint8"
        return "int16" if cardinality is not None and cardinality <= _COMPACT_WHOLE_NUMBERS else None

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"vocabulary": tokens, "idf": their weights for tf_idf, "length": of a row of ids}}."""
        return {block.names[0]: self._learn(block) for block in frames.picked(frame, names)}

    def _learn(self, block: Block) -> dict[str, Any]:
        from keras import ops

        texts: list[bytes] = ops.convert_to_numpy(block.tensor).ravel().tolist()
        counts: Counter[bytes] = Counter()
        documents: Counter[bytes] = Counter()
        longest = 1
        for tokens in self._tokens(texts):
            counts.update(tokens)
            if self.output == "tf_idf":
                documents.update(set(tokens))
            longest = max(longest, len(tokens))
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        usable = (token for token in ranked if _can_be_kept(token))
        chosen = list(islice(usable, self.max_tokens - _NO_WORDS[self.output]))
        if not chosen:
            message = f"{block.names[0]} has no {self.level} in the training rows"
            raise DataError(Problem("no-token", message, f"add `drop: {block.names[0]}`", (self.part_name,)))
        learned: dict[str, Any] = {"vocabulary": [token.decode() for token in chosen]}
        if self.output == "tf_idf":
            learned["idf"] = _inverse_frequencies([documents[token] for token in chosen], len(texts))
        if self.output == "ids":
            learned["length"] = self.length or longest
        return learned

    def _tokens(self, texts: Sequence[bytes]) -> Iterator[list[bytes]]:
        """The tokens of each text, exactly as Keras's TextVectorization cuts them."""
        lowers, strips = "lower" in self.standardize, "strip" in self.standardize
        for text in texts:
            clean = text.lower() if lowers else text
            clean = clean.translate(None, _PUNCTUATION) if strips else clean
            tokens = clean.split() if self.level == "word" else [sign.encode() for sign in clean.decode()]
            runs = [run for size in range(2, self.ngrams + 1) for run in _runs(tokens, size)]
            yield tokens + runs

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Ids, or a column for each token."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            column = block.names[0]
            learned = state[column]
            words = tuple(learned["vocabulary"])
            layer = _layer(self, words, tuple(learned.get("idf", ())), learned.get("length"))
            # Of texts [rows, 1] Keras's layer misjudges the shape of what it will give.
            tensor = ops.cast(layer(ops.squeeze(block.tensor, axis=-1)), "float32")
            if self.output == "ids":
                return Block(self.result_names(block, taken), "encoded", tensor, len(words) + 2)
            columns = _column_names(column, words, taken)
            if self.output == "tf_idf":
                columns, tensor = columns[1:], tensor[:, 1:]
            return Block(columns, "encoded", tensor)

        return frames.replaced(frame, names, work, keep=self.keep)


def _runs(tokens: list[bytes], size: int) -> Iterator[bytes]:
    return map(b" ".join, zip(*(tokens[start:] for start in range(size)), strict=False))


def _can_be_kept(token: bytes) -> bool:
    """Whether a saved vocabulary can hold a token: not what Keras gives a meaning, nor what numpy shortens."""
    return token.decode() not in _RESERVED and not token.endswith(b"\0")


def _inverse_frequencies(rows_with: list[int], rows: int) -> list[float]:
    import numpy as np

    weights: list[float] = np.log(1 + rows / (1 + np.array(rows_with))).tolist()
    return weights


@lru_cache(maxsize=8)
def _column_names(column: str, words: tuple[str, ...], taken: tuple[str, ...]) -> tuple[str, ...]:
    """review_great, ...; the unknown one in front, where Keras has it."""
    used = set(taken)
    names = []
    for ending in (*words, "unknown"):
        names.append(frames.free_name(f"{column}_{ending}", used))
        used.add(names[-1])
    return (names[-1], *names[:-1])


@lru_cache(maxsize=8)
def _layer(step: Tokens, words: tuple[str, ...], idf: tuple[float, ...], length: int | None) -> Any:
    """Keras's layer from text [rows] to numbers; made once for all parts of the rows."""
    import keras

    return keras.layers.TextVectorization(
        standardize=None if step.standardize == "none" else step.standardize,
        split="whitespace" if step.level == "word" else "character",
        ngrams=step.ngrams if step.ngrams > 1 else None,
        output_mode="int" if step.output == "ids" else step.output,
        output_sequence_length=length,
        vocabulary=list(words),
        idf_weights=list(idf) or None,
    )
