"""Image files from a folder to predictions, as a user meets them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from dlcli import train
from tests.commands.configs import CONFIGS, record
from tests.conftest import Dlcli
from tests.workflows.test_poison import learned

CONFIG = """\
data:
  source: {images: {path: photos, size: [12, 10]}}
split: {stratified: {validation: 0.25, test: 0.25}}
preprocessing: [resize: {size: [8, 8]}, grayscale, rescale, standardize]
architecture: [conv2d: 2, dense: 4]
training: {epochs: 2, batch_size: 8}
"""


def photo(generator: np.random.Generator, *, bright: bool, height: int = 14) -> Image.Image:
    pixels = generator.integers(100 if bright else 0, 256 if bright else 150, (height, 11, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def write_photos(root: Path, count: int = 20, seed: int = 0) -> None:
    """Two classes of noise: bright and dark, in two sizes and formats."""
    generator = np.random.default_rng(seed)
    for label in ("bright", "dark"):
        (root / label).mkdir(parents=True)
        for number in range(count):
            ending = "png" if number % 2 else "jpg"
            image = photo(generator, bright=label == "bright", height=14 + number % 2)
            image.save(root / label / f"{number:03}.{ending}")


def write(folder: Path, config: str = CONFIG) -> None:
    write_photos(folder / "photos")
    (folder / "photos.yaml").write_text(config)


def predicted(csv: str) -> pl.DataFrame:
    return pl.read_csv(io.StringIO(csv))


def test_raw_files_give_the_numbers_of_the_run(dlcli: Dlcli) -> None:
    write(dlcli.folder)
    assert dlcli("train", "photos.yaml").exit_code == 0
    kept = pl.read_parquet(dlcli.folder / "runs/photos-001/predictions/validation.parquet")
    new = predicted(dlcli("predict", "latest", "photos").stdout)
    assert new["file"][0].endswith("photos/bright/000.jpg")
    both = kept.join(new, on="row", suffix="_new")
    assert both.height == 10
    assert (both["probability_dark"] - both["probability_dark_new"]).abs().max() < 1e-6


def test_a_list_and_a_pattern_of_files_are_predicted(dlcli: Dlcli) -> None:
    write(dlcli.folder)
    dlcli("train", "photos.yaml")
    every = predicted(dlcli("predict", "latest", "photos").stdout)
    (dlcli.folder / "new.txt").write_text("photos/dark/003.png\nphotos/bright/002.jpg\n")
    some = predicted(dlcli("predict", "latest", "new.txt").stdout)
    assert [Path(file).name for file in some["file"]] == ["003.png", "002.jpg"]
    both = some.join(every, on="file", suffix="_all")
    assert (both["probability_dark"] - both["probability_dark_all"]).abs().max() < 1e-6
    assert predicted(dlcli("predict", "latest", "photos/dark/*.png").stdout).height == 10


def test_evaluate_takes_another_folder_of_classes(dlcli: Dlcli) -> None:
    write(dlcli.folder)
    dlcli("train", "photos.yaml")
    write_photos(dlcli.folder / "more", count=5, seed=1)
    assert dlcli("evaluate", "latest", "--data", "more").exit_code == 0


def test_what_the_files_decided_stands_in_the_resolved_config(dlcli: Dlcli) -> None:
    write(dlcli.folder)
    dlcli("train", "photos.yaml")
    assert "channels: 3" in (dlcli.folder / "runs/photos-001/resolved.yaml").read_text()
    assert [Path(file).name for file in record(dlcli.folder, "photos-001")["files"]] == ["photos"]


@pytest.mark.parametrize("command", ["train", "kfold", "check --data"])
def test_a_damaged_file_is_named_and_nothing_is_begun(dlcli: Dlcli, command: str) -> None:
    write(dlcli.folder)
    (dlcli.folder / "photos/dark/005.png").write_bytes(b"")
    name, *options = command.split()
    done = dlcli(name, "photos.yaml", *options)
    assert done.exit_code == 3
    assert "photos.yaml:2:" in done.stderr
    assert "1 of 40 images cannot be read" in done.stderr
    assert "dark/005.png (an empty file)" in done.stderr.replace("\n", "")
    assert not (dlcli.folder / "runs").exists()


def test_files_that_differ_in_size_ask_for_one(dlcli: Dlcli) -> None:
    write(dlcli.folder, CONFIG.replace(", size: [12, 10]", ""))
    done = dlcli("train", "photos.yaml")
    assert done.exit_code == 3
    assert "size: [96, 96]" in done.stderr


def test_a_size_in_the_place_of_columns_is_put_right(dlcli: Dlcli) -> None:
    write(dlcli.folder, CONFIG.replace("resize: {size: [8, 8]}", "resize: [8, 8]"))
    done = dlcli("check", "photos.yaml")
    assert done.exit_code == 2
    assert "write resize: {size: [8, 8]}" in done.stderr


def test_videos_are_one_column_of_an_npz_file(dlcli: Dlcli) -> None:
    generator = np.random.default_rng(0)
    label = np.arange(40) % 2
    clips = generator.integers(0, 200, (40, 3, 6, 5, 3)) + 50 * label[:, None, None, None, None]
    np.savez(dlcli.folder / "clips.npz", clip=clips.astype(np.uint8), label=label)
    config = "data: {source: {npz: {path: clips.npz, inputs: clip, target: label}}}\n"
    config += "preprocessing: [resize: {size: [3, 3]}, rescale]\narchitecture: [dense: 4]\ntraining: {epochs: 2}\n"
    (dlcli.folder / "clips.yaml").write_text(config)
    done = dlcli("train", "clips.yaml")
    assert done.exit_code == 0, done.output
    kept = pl.read_parquet(dlcli.folder / "runs/clips-001/predictions/validation.parquet")
    both = kept.join(predicted(dlcli("predict", "latest", "clips.npz").stdout), on="row", suffix="_new")
    assert (both["probability_1"] - both["probability_1_new"]).abs().max() < 1e-6


def test_test_images_change_nothing(tmp_path: Path) -> None:
    config = CONFIG.replace("split: {stratified: {validation: 0.25, test: 0.25}}", "split: predefined")
    runs = []
    for name in ("clean", "poisoned"):
        for seed, subset in enumerate(("train", "validation", "test")):
            write_photos(tmp_path / name / "photos" / subset, count=8, seed=seed)
        (tmp_path / name / "photos.yaml").write_text(config)
    for file in sorted((tmp_path / "poisoned/photos/test").rglob("*.png")):
        Image.new("RGBA", (90, 7), (0, 200, 0, 10)).save(file)
    runs = [train(tmp_path / name / "photos.yaml", runs=tmp_path / name / "runs") for name in ("clean", "poisoned")]
    assert learned(runs[0].path) == learned(runs[1].path)
    assert runs[0].scores["validation"] == runs[1].scores["validation"]


@pytest.mark.slow
def test_real_photographs_predict_as_in_the_run(dlcli: Dlcli, shared_data: Path) -> None:
    config = CONFIGS / "sign-digits.yaml"
    done = dlcli("train", config, "--set", "training.epochs=2", DLCLI_DATA=shared_data)
    assert done.exit_code == 0, done.output
    kept = pl.read_parquet(dlcli.folder / "runs/sign-digits-001/predictions/validation.parquet")
    folder = shared_data / "images" / "sign-digits"
    new = predicted(dlcli("predict", "latest", folder, DLCLI_DATA=shared_data).stdout)
    both = kept.join(new, on="row", suffix="_new")
    assert (both.height, new.height) == (80, 400)
    for digit in range(10):
        assert (both[f"probability_{digit}"] - both[f"probability_{digit}_new"]).abs().max() < 1e-6
