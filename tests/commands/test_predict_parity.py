"""`predict` on raw files gives the numbers that the run kept of its validation rows, whatever the data are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from PIL import Image

from dlcli import predict, train
from dlcli.data.sources.builtin import Builtin
from dlcli.data.sources.tfds import Tfds
from dlcli.samples import Coded, Ragged, Samples
from tests.data.sources.test_tfds import prepare_tiny_sides

ROWS = 60
SPLIT = "split: {random: {validation: 0.3, test: 0.1}}\n"
NETWORK = "architecture: [dense: 4]\ntraining: {epochs: 2, batch_size: 16}\n"
WORDS = ("good", "fine", "bad", "poor", "not", "Käse", '"so"', "a,b", "don't", "\x85")


class Case(NamedTuple):
    """A config, and the raw files each of which holds the rows of the run in their order."""

    config: str
    files: tuple[str, ...]


def data(source: str, more: str = "") -> str:
    return f"data:\n  source: {source}\n{more}{SPLIT}{NETWORK}"


def table() -> pl.DataFrame:
    """Numbers, categories, dates and texts, each with gaps; and targets of three tasks."""
    draw = np.random.default_rng(0)
    size, count, day = draw.normal(50, 20, ROWS), draw.integers(0, 5, ROWS), draw.integers(0, 900, ROWS)
    colours = draw.choice(["red", "blue", "light green"], ROWS)
    frame = pl.DataFrame(
        {
            "size": size,
            "count": count,
            "colour": colours,
            "day": np.datetime64("2021-03-01") + day,
            "remark": [" ".join(draw.choice(WORDS, 6)) + f" {number}" for number in range(ROWS)],
            "code": draw.choice([1, 2, 30], ROWS),
            "price": size * 1000 + 300 * count,
            "kind": np.where(size > 55, "large", np.where(size > 45, "middle", "small")),
            "cheap": (size < 50).astype(int),
            "odd": count % 2,
        }
    )
    gaps = {name: pl.when(pl.int_range(ROWS) % 11 == place).then(None) for place, name in enumerate(frame.columns[:6])}
    return frame.with_columns(gap.otherwise(pl.col(name)).alias(name) for name, gap in gaps.items())


def write_tables(folder: Path) -> None:
    frame = table()
    frame.write_csv(folder / "t.csv")
    frame.write_parquet(folder / "t.parquet")
    frame.select(reversed(frame.columns[:6])).write_csv(folder / "inputs.csv", quote_style="always")


ALL = ("t.csv", "t.parquet", "inputs.csv")


def csv(folder: Path) -> Case:
    write_tables(folder)
    more = "  target: {column: price, scale: log1p}\n  ignore: [kind, cheap, odd]\n  categorical: [code]\n"
    return Case(data("{csv: t.csv}", more), ALL)


def parquet(folder: Path) -> Case:
    write_tables(folder)
    more = "  target: {column: kind, aliases: {middle: small}}\n  ignore: [price, cheap, odd]\n  categorical: [code]\n"
    return Case(data("{parquet: t.parquet}", more), ALL)


def multilabel(folder: Path) -> Case:
    write_tables(folder)
    return Case(data("{csv: t.csv}", "  target: [cheap, odd]\n  ignore: [price, kind]\n"), ALL)


def several_targets(folder: Path) -> Case:
    write_tables(folder)
    more = "  target: {column: [price, size], scale: standardize}\n  missing_target: drop\n"
    more += "  ignore: [kind, cheap, odd, remark]\n"
    return Case(data("{parquet: t.parquet}", more), ALL[:2])


def calibrated(folder: Path) -> Case:
    write_tables(folder)
    more = "  target: cheap\n  ignore: [price, kind, odd]\n"
    return Case(data("{csv: t.csv}", more) + "evaluation: {calibrate: temperature, threshold: f1}\n", ALL)


def decimal_comma(folder: Path) -> Case:
    lines = ["Größe;Farbe;y", *(f"{n % 7},{n % 10};{'rot' if n % 3 else '?'};{n * 3 % 7},5" for n in range(ROWS))]
    (folder / "t.csv").write_bytes("\r\n".join(lines).encode("latin-1"))
    source = "{csv: {path: t.csv, decimal: ',', encoding: latin-1, missing: ['?']}}"
    return Case(data(source, "  target: 'y'\n"), ("t.csv",))


def some_rows(folder: Path) -> Case:
    write_tables(folder)
    more = "  target: price\n  ignore: [kind, cheap, odd, remark]\n  where: count != 3\n"
    return Case(data("{csv: t.csv}", more), ALL)


def rows_in_roles(folder: Path) -> Case:
    frame = table().with_columns(pl.int_range(ROWS).mod(20).alias("who"), pl.lit(2).alias("mass"))
    pl.concat([frame, frame[:9]]).write_csv(folder / "t.csv")
    more = "  target: odd\n  ignore: [price, kind, cheap, remark]\n  weight: mass\n  group: who\n  duplicates: drop\n"
    return Case(data("{csv: t.csv}", more).replace("random", "grouped"), ("t.csv",))


def vectors(folder: Path) -> Case:
    draw = np.random.default_rng(0)
    arrays = {"a": draw.normal(size=(ROWS, 3)), "b": draw.integers(0, 9, ROWS), "c": draw.choice(["x", "yy"], ROWS)}
    np.savez(folder / "all.npz", **arrays, y=draw.integers(0, 3, ROWS), more=np.zeros(4))
    np.savez(folder / "inputs.npz", **dict(reversed(arrays.items())))
    return Case(data("{npz: {path: all.npz, inputs: [a, b, c], target: 'y'}}"), ("all.npz", "inputs.npz"))


def arrays_of_images(folder: Path, images: Any, **fields: str) -> Case:
    np.savez(folder / "all.npz", x=images, y=np.arange(ROWS) % 2)
    np.savez(folder / "alone.npz", anything=images)
    more = "".join(f"  {name}: {value}\n" for name, value in fields.items())
    return Case(data("{npz: {path: all.npz, inputs: x, target: 'y'}}", more), ("all.npz", "alone.npz"))


def builtin(folder: Path) -> Case:
    found = Builtin(name="wine").read()
    columns = found.samples.select(found.inputs)
    np.savez(folder / "t.npz", **columns)
    pl.DataFrame({name: columns[name] for name in reversed([*columns])}).write_csv(folder / "t.csv")
    return Case(data("{builtin: wine}"), ("t.npz", "t.csv"))


def columns_of_a_function(folder: Path) -> Case:
    code = "import numpy as np\ndef make():\n    return {'a': np.arange(60.) % 13, 'y': np.arange(60) % 2}\n"
    (folder / "made.py").write_text(code)
    pl.DataFrame({"a": np.arange(60.0) % 13}).write_csv(folder / "t.csv")
    return Case(data("{custom: 'made.py:make'}", "  target: 'y'\n"), ("t.csv",))


def images_of_bytes(folder: Path) -> Case:
    images = np.random.default_rng(0).integers(0, 256, (ROWS, 5, 6), dtype=np.uint8)
    (folder / "files").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"files/{number:03}.png")
    case = arrays_of_images(folder, images)
    return Case(case.config, (*case.files, "files", "files/*.png"))


def channels_first(folder: Path) -> Case:
    return arrays_of_images(folder, np.random.default_rng(0).normal(size=(ROWS, 3, 5, 6)), channels="first")


def videos(folder: Path) -> Case:
    return arrays_of_images(folder, np.random.default_rng(0).integers(0, 256, (ROWS, 3, 5, 6, 3), dtype=np.uint8))


def sequences(folder: Path) -> Case:
    draw = np.random.default_rng(0)
    rows = [draw.integers(1, 30, length) for length in [*draw.integers(0, 9, ROWS - 1), 40]]
    both = {"words": np.concatenate(rows), "words_offsets": np.cumsum([0, *map(len, rows)])}
    np.savez(folder / "all.npz", **both, label=np.arange(ROWS) % 2)
    np.savez(folder / "inputs.npz", **both)
    longest = max(map(len, rows))
    np.savez(folder / "filled.npz", words=[[*row, *[-1] * (longest - len(row))] for row in rows])
    files = ("all.npz", "inputs.npz", "filled.npz")
    return Case(data("{npz: {path: all.npz, inputs: words, target: label}}"), files)


def padded_sequences(folder: Path) -> Case:
    case = sequences(folder)
    return Case(
        case.config + "preprocessing: [pad: {padding: pre, truncating: pre}, standardize: words*]\n", case.files
    )


def write_pictures(folder: Path) -> list[str]:
    draw, names = np.random.default_rng(0), []
    for number in range(ROWS):
        ending, mode = (("png", "RGB"), ("jpg", "RGB"), ("gif", "P"), ("png", "RGBA"), ("webp", "L"))[number % 5]
        (folder / f"{number % 2}").mkdir(parents=True, exist_ok=True)
        pixels = draw.integers(0, 256, (7 + number % 3, 9, 3), dtype=np.uint8)
        names.append(f"{number % 2}/{number:03}.{ending}")
        Image.fromarray(pixels).convert(mode).save(folder / names[-1])
    return names


def folder_of_images(folder: Path) -> Case:
    write_pictures(folder / "photos")
    return Case(data("{images: {path: photos, size: [8, 8], resize: pad}}"), ("photos",))


def folders_of_subsets(folder: Path) -> Case:
    for subset in ("train", "validation", "test"):
        write_pictures(folder / "photos" / subset)
    return Case(data("{images: {path: photos, size: [8, 8]}}").replace(SPLIT, ""), ("photos",))


def table_of_images(folder: Path) -> Case:
    names = write_pictures(folder / "photos")
    lines = [f"{name},{number % 3 or ''},{number % 2}" for number, name in enumerate(names)]
    for name in ("t.csv", "new.csv"):
        (folder / name).write_text("\n".join(["file,extra,label", *lines]) + "\n")
    source = "{images: {path: photos, table: t.csv, column: file, size: [6, 6], channels: 1}}"
    return Case(data(source), ("t.csv", "new.csv"))


def texts() -> list[str]:
    """Texts with quotes, blanks, line ends and signs that a table might lose; one of them empty."""
    draw = np.random.default_rng(0)
    ends = ("", "  ", "\n", "\nnew line", "\ttab")
    return ["", *(" " * (n % 3) + " ".join(draw.choice(WORDS, 5)) + ends[n % 5] for n in range(1, ROWS))]


CHARACTERS = "preprocessing: [tokens: {output: tf_idf, level: character, standardize: none, ngrams: 2}]\n"


def folder_of_texts(folder: Path) -> Case:
    for number, text in enumerate(texts()):
        (folder / "reviews" / f"{number % 2}").mkdir(parents=True, exist_ok=True)
        (folder / "reviews" / f"{number % 2}" / f"{number:03}.txt").write_bytes(text.encode())
    in_order = [texts()[number] for number in sorted(range(ROWS), key=lambda number: (number % 2, number))]
    pl.DataFrame({"text": in_order}).write_csv(folder / "t.csv", quote_style="always")
    pl.DataFrame({"text": in_order}).write_parquet(folder / "t.parquet")
    return Case(data("{text: reviews}") + CHARACTERS, ("reviews", "t.csv", "t.parquet"))


def table_of_texts(folder: Path) -> Case:
    frame = pl.DataFrame({"text": texts(), "label": np.arange(ROWS) % 2})
    frame.write_parquet(folder / "t.parquet")
    frame.select("text").write_csv(folder / "t.csv", quote_style="always")
    np.savez(folder / "t.npz", text=np.array(texts()))
    (folder / "files").mkdir()
    for number, text in enumerate(texts()):
        (folder / f"files/{number:03}.txt").write_bytes(text.encode())
    more = "  target: label\n  text: [text]\n"
    return Case(data("{parquet: t.parquet}", more) + CHARACTERS, ("t.parquet", "t.csv", "t.npz", "files"))


def series(folder: Path) -> Case:
    draw, lines = np.random.default_rng(0), ["place,when,kind,heat,alarm"]
    for hour in draw.permutation(60):
        moment = f"2024-01-{1 + hour // 24:02} {hour % 24:02}:00"
        lines += [f"{place},{moment},{draw.choice(['a', 'b'])},{hour % 9}.5,{hour % 2}" for place in "NS"]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    pl.read_csv(folder / "t.csv").write_parquet(folder / "t.parquet")
    window = "{length: 4, horizon: 2, gap: 1, sampling_rate: 2, per: place, context: earlier}"
    more = f"  target: {{column: heat, scale: standardize}}\n  time: when\n  ignore: [alarm]\n  window: {window}\n"
    config = data("{csv: t.csv}", more).replace("random", "chronological").replace("[dense", "[flatten, dense")
    return Case(config, ("t.csv", "t.parquet"))


def last_row_of_a_window(folder: Path) -> Case:
    config = series(folder).config.replace("horizon: 2, gap: 1", "horizon: 0").replace("  ignore: [alarm]\n", "")
    return Case(config.replace("{column: heat, scale: standardize}", "alarm"), ("t.csv", "t.parquet"))


def flat_pixels(folder: Path) -> Case:
    pixels = np.random.default_rng(0).integers(0, 256, (ROWS, 12))
    frame = pl.DataFrame(pixels, schema=[f"p{n}" for n in range(12)], orient="row")
    frame.with_columns(pl.int_range(ROWS).mod(2).alias("label")).write_csv(folder / "t.csv")
    frame.select(reversed(frame.columns)).write_parquet(folder / "new.parquet")
    np.savez(folder / "new.npz", image=pixels.reshape(ROWS, 3, 4).astype(np.uint8))
    return Case(data("{csv: t.csv}", "  target: label\n  shape: [3, 4, 1]\n"), ("t.csv", "new.parquet", "new.npz"))


CASES: tuple[Callable[[Path], Case], ...] = (
    csv,
    parquet,
    multilabel,
    several_targets,
    calibrated,
    decimal_comma,
    some_rows,
    rows_in_roles,
    vectors,
    builtin,
    columns_of_a_function,
    images_of_bytes,
    channels_first,
    videos,
    sequences,
    padded_sequences,
    folder_of_images,
    folders_of_subsets,
    table_of_images,
    folder_of_texts,
    table_of_texts,
    series,
    last_row_of_a_window,
    flat_pixels,
)


def require_same(run: Path, file: Path) -> None:
    """Every kept number is within a millionth of what is predicted now, in the unit of the largest one or in 1."""
    kept = pl.read_parquet(run / "predictions" / "validation.parquet")
    made = predict(run, file, trust=True)
    values = {name: column for name, column in made.columns().items() if name in kept.columns}
    assert len(values) > 1
    place = {int(row): number for number, row in enumerate(made.row_numbers)}
    rows = [place[row] for row in kept["row"]]
    for name, column in values.items():
        expected, found = kept[name].to_numpy(), column[rows]
        if kept[name].dtype.is_float():
            largest = np.abs(expected).max()
            assert np.abs(found - expected).max() <= 1e-6 * max(1, largest), name
        else:
            assert (found == expected).all(), name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_raw_rows_are_predicted_as_in_validation(tmp_path: Path, case: Callable[[Path], Case]) -> None:
    config, files = case(tmp_path)
    (tmp_path / "case.yaml").write_text(config)
    run = train(tmp_path / "case.yaml", runs=tmp_path / "runs", trust=True)
    for file in files:
        require_same(run.path, tmp_path / file)


TFDS = """\
data: {{source: {{tfds: {{name: tiny_sides, data_dir: ., inputs: [{inputs}], target: label, size: [4, 6]}}}}}}
split: {{predefined: {{validation: 0.3}}}}
architecture: [dense: 4]
training: {{epochs: 2, batch_size: 16}}
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a set of images and texts is prepared as TensorFlow Datasets does it."""
    return prepare_tiny_sides(tmp_path_factory.mktemp("tfds"))


@pytest.mark.slow
@pytest.mark.parametrize("inputs", ["image", "photo", "remark", "steps", "brightness, remark"])
def test_raw_rows_of_a_prepared_set_are_predicted_as_in_validation(prepared: Path, inputs: str) -> None:
    (prepared / "case.yaml").write_text(TFDS.format(inputs=inputs))
    run = train(prepared / "case.yaml", runs=prepared / "runs")
    found = Tfds(name="tiny_sides", data_dir=str(prepared), inputs=tuple(inputs.split(", ")), size=(4, 6)).read()
    columns = found.samples.select(found.inputs)
    files = write_columns(prepared / inputs, columns)
    for file in files:
        require_same(run.path, file)


def write_columns(folder: Path, columns: Samples) -> list[Path]:
    """Rows as files: tables, arrays, and where a row is one image or one text, a file each."""
    folder.mkdir()
    arrays, files = {}, [folder / "t.npz"]
    for name, column in columns.items():
        if isinstance(column, Ragged):
            arrays |= {name: column.values, f"{name}_offsets": column.offsets}
        else:
            arrays[name] = column.texts() if isinstance(column, Coded) else column
    arrays = {name: array.astype(str) if array.dtype == object else array for name, array in arrays.items()}
    np.savez(folder / "t.npz", **arrays)
    if all(array.ndim == 1 for array in arrays.values()) and len(arrays) == len(columns.columns):
        pl.DataFrame(arrays).write_csv(folder / "t.csv")
        files.append(folder / "t.csv")
    (name, *others) = arrays
    if not others and arrays[name].ndim != 2:
        (folder / "files").mkdir()
        files.append(folder / "files")
        for number, row in enumerate(arrays[name]):
            if arrays[name].ndim == 1:
                (folder / f"files/{number:03}.txt").write_text(row)
            else:
                Image.fromarray(row.squeeze(axis=2) if row.shape[2] == 1 else row).save(
                    folder / f"files/{number:03}.png"
                )
    return files
